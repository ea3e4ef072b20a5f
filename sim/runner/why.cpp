#include "sim/runner/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/results/trace_file.h"
#include "sim/results/tunnel_statistics.h"
#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

using Span = std::pair<std::int64_t, std::int64_t>;  // ns

constexpr std::int64_t slice_ns = DecisionLog::slice.count();
// Packets that wait at the window's end show when they get a path. None waits longer: CoDel drops
// them.
constexpr auto looked_ahead = std::chrono::seconds{5};
constexpr auto window_max = std::chrono::minutes{1};

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

/// What one end did in the window; one of it serves all links.
class EndOfTunnel {
 public:
  EndOfTunnel(char name, Span window, std::size_t links) : window_(window), sums_(links) {
    for (std::size_t link = 0; link < links; ++link) {
      WhyAnswer& answer = answers_.emplace_back();
      answer.from = name;
      answer.link = link;
      answer.begin = Duration{window.first};
      answer.end = Duration{window.second};
      answer.others.resize(links);
    }
  }

  void see(const TraceRow& row) {
    if (row.is(TraceKind::assigned)) return see_assigned(row);
    if (row.is(TraceKind::dropped)) return see_dropped(row);
    if (row.path >= answers_.size()) return;
    if (row.is(TraceKind::decision)) return see_decision(row);
    if (row.is(TraceKind::path_state)) return see_change(row);
    WhyAnswer& answer = answers_[row.path];
    if (row.is(TraceKind::estimate) && row.at_ns < window_.second) {
      answer.pacing_mbps = static_cast<double>(row.a) * 1e-6;
    } else if (row.is(TraceKind::sent) && within(row.at_ns)) {
      ++answer.datagrams;
      answer.bytes += row.size + udp_ipv4_overhead;
    }
  }

  std::vector<WhyAnswer> answers() {
    const Duration asked = covered();
    for (WhyAnswer& answer : answers_) {
      answer.asked = asked;
      for (const auto& [key, sum] : sums_[answer.link]) answer.shares.push_back(share_of(key, sum));
      std::stable_sort(answer.shares.begin(), answer.shares.end(),
                       [](const auto& x, const auto& y) {
                         return std::tuple(x.outcome, y.packets) < std::tuple(y.outcome, x.packets);
                       });
    }
    return answers_;
  }

 private:
  using Key = std::tuple<std::uint16_t, std::uint64_t, std::uint8_t>;  // outcome, reason, class
  struct Sum {
    std::uint64_t packets = 0;
    double a = 0, b = 0;
  };

  bool within(std::int64_t at_ns) const { return at_ns >= window_.first && at_ns < window_.second; }

  void see_assigned(const TraceRow& row) {
    const auto since = row.at_ns - static_cast<std::int64_t>(row.b);
    if (since < window_.second && row.at_ns > window_.first) {
      waits_.emplace_back(std::max(since, window_.first), std::min(row.at_ns, window_.second));
    }
    const bool still_waiting = since < window_.second && row.at_ns >= window_.second;
    for (WhyAnswer& answer : answers_) {
      answer.waiting += still_waiting ? 1 : 0;
      if (within(row.at_ns)) count(answer, row.a);
    }
  }

  static void count(WhyAnswer& answer, std::uint64_t mask) {
    ++answer.packets;
    const std::uint64_t own = std::uint64_t{1} << answer.link;
    if ((mask & own) != 0) {
      ++answer.here;
      answer.copied += mask == own ? 0 : 1;
      return;
    }
    for (std::size_t link = 0; link < answer.others.size(); ++link) {
      answer.others[link] += mask >> link & 1;
    }
  }

  void see_dropped(const TraceRow& row) {
    const auto reason = static_cast<Drop>(row.a);
    if (!within(row.at_ns) || (reason != Drop::queue_full && reason != Drop::queue_aged)) return;
    for (WhyAnswer& answer : answers_) ++answer.dropped;
  }

  void see_decision(const TraceRow& row) {
    if (!within(row.at_ns)) return;
    Sum& sum = sums_[row.path][{row.flags, row.sequence, row.class_id}];
    const double packets = row.size;
    sum.packets += row.size;
    sum.a += packets * static_cast<double>(static_cast<std::int64_t>(row.a));
    sum.b += packets * static_cast<double>(static_cast<std::int64_t>(row.b));
  }

  void see_change(const TraceRow& row) {
    if (row.at_ns >= window_.second) return;
    const WhyChange change{Duration{row.at_ns}, static_cast<PathState>(row.sequence),
                           static_cast<PathState>(row.a), row.b};
    WhyAnswer& answer = answers_[row.path];
    if (row.at_ns >= window_.first) {
      answer.changes.push_back(change);
    } else {
      answer.since = change;
      answer.state = change.after;
    }
  }

  static WhyShare share_of(const Key& key, const Sum& sum) {
    const auto& [outcome, reason, class_id] = key;
    const double n = static_cast<double>(std::max<std::uint64_t>(1, sum.packets));
    return {static_cast<Outcome>(outcome), reason, class_id, sum.packets, sum.a / n, sum.b / n};
  }

  /// Length of the union of all waits.
  Duration covered() {
    std::sort(waits_.begin(), waits_.end());
    std::int64_t sum = 0, reached = window_.first;
    for (const auto& [begin, end] : waits_) {
      sum += std::max<std::int64_t>(0, end - std::max(begin, reached));
      reached = std::max(reached, end);
    }
    return Duration{sum};
  }

  Span window_;
  std::vector<WhyAnswer> answers_;        // by link
  std::vector<std::map<Key, Sum>> sums_;  // by link
  std::vector<Span> waits_;               // of packets, within the window
};

/// Whole slices around the window.
Span window_of(const WhyRequest& request, const TraceInfo& info) {
  if (request.window > window_max) {
    throw InputError(
        fmt::format("--window {:g}s: allowed is up to 60s", to_seconds(request.window)));
  }
  if (to_seconds(request.at) > info.reached_s) {
    throw InputError(fmt::format(
        "--at {:g}s: is outside the trace; allowed is 0s to {:g}s{}", to_seconds(request.at),
        info.reached_s,
        info.complete ? ""
                      : fmt::format(" (the run was to last {:g} s and did not reach its end)",
                                    info.duration_s)));
  }
  const std::int64_t middle = request.at.count(), half = request.window.count() / 2;
  const std::int64_t first = std::max<std::int64_t>(0, middle - half) / slice_ns * slice_ns;
  const std::int64_t last = (middle + half + slice_ns - 1) / slice_ns * slice_ns;
  return {first, std::max(last, first + slice_ns)};
}

void check_names(const WhyRequest& request, const TraceInfo& info) {
  const auto& links = info.links;
  if (request.link && std::find(links.begin(), links.end(), *request.link) == links.end()) {
    throw InputError("--link " + *request.link + ": the run has no such link; there are " +
                     joined(links));
  }
  if (request.from && *request.from != "a" && *request.from != "b") {
    throw InputError("--from " + *request.from + ": allowed is a or b, the sending end");
  }
}

}  // namespace

std::vector<WhyAnswer> explain(const TraceReader& trace, const WhyRequest& request) {
  const TraceInfo& info = trace.info();
  check_names(request, info);
  const Span window = window_of(request, info);
  std::array<EndOfTunnel, 2> ends{EndOfTunnel{'a', window, info.links.size()},
                                  EndOfTunnel{'b', window, info.links.size()}};
  const std::int64_t enough = window.second + Duration{looked_ahead}.count();
  trace.each_packet([&](std::span<const TraceRow> rows) {
    for (const TraceRow& row : rows) {
      if (row.end < ends.size()) ends[row.end].see(row);
    }
    return rows.back().at_ns < enough;
  });
  std::vector<WhyAnswer> all;
  for (EndOfTunnel& end : ends) {
    for (WhyAnswer& answer : end.answers()) {
      const std::string& link = info.links[answer.link];
      if (request.link && *request.link != link) continue;
      if (request.from && request.from->front() != answer.from) continue;
      answer.path = trace.path_at(answer.from, link, to_seconds(request.at));
      all.push_back(std::move(answer));
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& x, const auto& y) { return x.packets > y.packets; });
  return all;
}

}  // namespace sennit

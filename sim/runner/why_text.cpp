#include "sim/runner/why_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>

#include "sim/results/trace_file.h"

namespace sennit {
namespace {

/// Three digits are what anybody reads: 31.2 ms, 0.17 Mbit/s.
std::string number(double value) {
  const double size = std::abs(value);
  if (size >= 99.95) return fmt::format("{:.0f}", value);
  if (size >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}
std::string ms(double ns) { return number(ns * 1e-6) + " ms"; }
std::string kilobytes(double bytes) { return number(bytes * 1e-3) + " kB"; }
std::string seconds(Duration at) { return fmt::format("{:.3f} s", to_seconds(at)); }

std::string upper(std::string_view text) {
  std::string all{text};
  std::transform(all.begin(), all.end(), all.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return all;
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : between) + part;
  return all;
}

/// The reasons of trace kind path_state.
std::string cause(std::uint64_t because) {
  constexpr std::array<const char*, 5> names{"", "it answered", "it fell silent",
                                             "its device said so", "it was removed"};
  return because < names.size() ? names[because] : "";
}

/// "31.0 ms later: 25.0 ms longer delay, 6.00 ms longer queue".
std::string lateness(double later, double queue) {
  const auto part = [](double ns, const char* what) {
    return ms(std::abs(ns)) + (ns < 0 ? " shorter " : " longer ") + what;
  };
  return fmt::format("{} later: {}, {}", ms(later), part(later - queue, "delay"),
                     part(queue, "queue"));
}

/// Shares of all classes together, by outcome and reason; the order stays.
std::vector<WhyShare> merged(const std::vector<WhyShare>& shares) {
  std::vector<WhyShare> all;
  for (const WhyShare& share : shares) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const WhyShare& other) {
      return other.outcome == share.outcome && other.reason == share.reason;
    });
    if (same == all.end()) {
      all.push_back(share);
      continue;
    }
    const double n = static_cast<double>(same->packets), m = static_cast<double>(share.packets);
    same->a = (same->a * n + share.a * m) / (n + m);
    same->b = (same->b * n + share.b * m) / (n + m);
    same->packets += share.packets;
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& x, const auto& y) { return x.packets > y.packets; });
  return all;
}

std::vector<WhyShare> with_outcome(const std::vector<WhyShare>& shares, Outcome outcome) {
  std::vector<WhyShare> all;
  std::copy_if(shares.begin(), shares.end(), std::back_inserter(all),
               [&](const WhyShare& share) { return share.outcome == outcome; });
  return merged(all);
}

/// " (bulk 140, realtime 11)" when several classes are in it.
std::string classes_of(const WhyAnswer& answer, const WhyShare& whole, const TraceInfo& info) {
  std::vector<std::string> parts;
  for (const WhyShare& share : answer.shares) {
    if (share.outcome != whole.outcome || share.reason != whole.reason) continue;
    const std::string name = share.class_id < info.classes.size() ? info.classes[share.class_id]
                                                                  : std::to_string(share.class_id);
    parts.push_back(fmt::format("{} {}", name, share.packets));
  }
  return parts.size() > 1 ? " (" + joined(parts, ", ") + ")" : "";
}

std::string headline(const WhyAnswer& answer, const TraceInfo& info) {
  const char to = answer.from == 'a' ? 'b' : 'a';
  const std::string sent = number(answer.sent_mbps());
  const std::string rate = answer.pacing_mbps > 0 ? fmt::format("{} of {} Mbit/s, its pacing rate",
                                                                sent, number(answer.pacing_mbps))
                                                  : sent + " Mbit/s; its rate was not yet measured";
  return fmt::format("{} -> {}, {:.3f} to {}: {} took {} of {} packets ({})", answer.from, to,
                     to_seconds(answer.begin), seconds(answer.end), info.links[answer.link],
                     answer.here, answer.packets, rate);
}

/// Part of its pacing rate from which a link counts as full: the pacer's own rate changes by 15 %
/// while it probes.
constexpr double full_from = 0.85;

bool was_up(const WhyAnswer& answer) {
  const auto up = [](const WhyChange& change) { return change.after == PathState::up; };
  return answer.state == PathState::up ||
         std::any_of(answer.changes.begin(), answer.changes.end(), up);
}

std::string state_words(const WhyAnswer& answer) {
  if (!answer.since) return upper(to_string(answer.state)) + " from the start";
  return fmt::format("{} since {} ({})", upper(to_string(answer.state)), seconds(answer.since->at),
                     cause(answer.since->because));
}

/// What it comes down to.
std::string verdict(const WhyAnswer& answer, const TraceInfo& info) {
  if (!was_up(answer)) return "not usable: " + state_words(answer);
  if (answer.packets == 0 && answer.waiting == 0) {
    return fmt::format("idle: nothing to send, no packet waited at {}", answer.from);
  }
  if (answer.pacing_mbps > 0 && answer.sent_mbps() >= full_from * answer.pacing_mbps) {
    return "full: it was sent as much as its rate allows";
  }
  const auto elsewhere = with_outcome(answer.shares, Outcome::elsewhere);
  const auto held = with_outcome(answer.shares, Outcome::held);
  if (answer.here == answer.packets && answer.waiting == 0) {
    return "took all there was; nothing more to send";
  }
  // More waited than went elsewhere: then that is the question.
  const bool rather_held = answer.waiting > answer.packets - answer.here;
  const auto& reasons = elsewhere.empty() || (rather_held && !held.empty()) ? held : elsewhere;
  if (reasons.empty()) return "no reason is recorded";
  const char* begin = reasons.size() > 1 ? "mostly because " : "because ";
  return begin + words_of(reasons.front(), info);
}

/// Where the others went.
std::string rest(const WhyAnswer& answer, const TraceInfo& info) {
  std::vector<std::string> parts;
  for (std::size_t link = 0; link < answer.others.size(); ++link) {
    if (answer.others[link] == 0) continue;
    parts.push_back(fmt::format("{} took {}", info.links[link], answer.others[link]));
  }
  if (answer.copied > 0) parts.push_back(fmt::format("{} went on another link too", answer.copied));
  if (answer.waiting > 0)
    parts.push_back(fmt::format("{} still waited at the end", answer.waiting));
  if (answer.dropped > 0) parts.push_back(fmt::format("{} dropped while waiting", answer.dropped));
  if (answer.packets + answer.waiting > 0) {
    parts.push_back(fmt::format("packets waited for a path in {:.0f} of {:.0f} ms",
                                1e3 * to_seconds(answer.asked), 1e3 * answer.seconds()));
  }
  return joined(parts, "; ");
}

void add_reasons(std::vector<std::string>& lines, const WhyAnswer& answer, const TraceInfo& info) {
  const auto elsewhere = with_outcome(answer.shares, Outcome::elsewhere);
  if (!elsewhere.empty()) lines.push_back("  packets that went elsewhere:");
  for (const WhyShare& share : elsewhere) {
    lines.push_back(fmt::format("    {:5}  {}{}", share.packets, words_of(share, info),
                                classes_of(answer, share, info)));
  }
  const auto held = with_outcome(answer.shares, Outcome::held);
  std::uint64_t decisions = 0;
  for (const WhyShare& share : held) decisions += share.packets;
  if (!held.empty()) lines.push_back("  whenever packets had to wait:");
  for (const WhyShare& share : held) {
    lines.push_back(fmt::format("    {:4.0f} %  {}",
                                100.0 * static_cast<double>(share.packets) /
                                    static_cast<double>(std::max<std::uint64_t>(1, decisions)),
                                words_of(share, info)));
  }
  for (const WhyShare& share : with_outcome(answer.shares, Outcome::stopped)) {
    lines.push_back("  what was bound to it had to wait at times: " + words_of(share, info));
  }
}

std::string states(const WhyAnswer& answer) {
  std::vector<std::string> parts{"state " + state_words(answer)};
  for (const WhyChange& change : answer.changes) {
    parts.push_back(fmt::format("{} at {} ({})", upper(to_string(change.after)), seconds(change.at),
                                cause(change.because)));
  }
  return joined(parts, "; ");
}

std::string condition(const WhyAnswer& answer) {
  const TracePathRow& path = answer.path;
  std::vector<std::string> parts;
  if (path.srtt_ms > 0) {
    parts.push_back(fmt::format("round trip {}", ms(1e6 * path.srtt_ms)));
    parts.push_back(fmt::format("standing queue {}", ms(1e6 * path.standing_queue_ms)));
    parts.push_back(fmt::format("{} of {} in flight", kilobytes(path.inflight_bytes),
                                kilobytes(path.inflight_limit_bytes)));
    parts.push_back(fmt::format("loss {:.1f} %", 100 * path.loss));
  }
  if (std::isfinite(path.capacity_mbps)) {
    parts.push_back(
        fmt::format("the link itself could carry {} Mbit/s", number(path.capacity_mbps)));
  }
  return joined(parts, "; ");
}

nlohmann::ordered_json json_of(const WhyChange& change) {
  return {{"at_s", seconds_of(change.at)},
          {"before", to_string(change.before)},
          {"after", to_string(change.after)},
          {"because", cause(change.because)}};
}

}  // namespace

std::string words_of(const WhyShare& share, const TraceInfo& info) {
  const std::string name = share.reason < info.reasons.size() ? info.reasons[share.reason] : "";
  const double a = share.a, b = share.b;
  if (name == "probing") return "it was PROBING: up only once its probes are answered";
  if (name == "suspect") return "it was SUSPECT: an answer was overdue";
  if (name == "down") return "it was DOWN";
  if (name == "blocked") return "its driver took no more (socket full)";
  if (name == "unmeasured") return "it had not been measured yet";
  if (name == "queue_full") return fmt::format("its own queue was full ({:.0f} packets)", a);
  if (name == "class_links") return "the class is bound to other links (`links:` of the class)";
  if (name == "class_rate") return "the class had used up its rate (`rate_max:` of the class)";
  if (name == "retention_full") {
    return fmt::format("{} packets were already sent and not acknowledged", retained_max);
  }
  if (name == "too_big") {
    return fmt::format("they do not fit ({:.0f} bytes; at most {:.0f} do)", a, b);
  }
  if (name == "cost") {
    return fmt::format("it costs {:.0f}, and links that cost {:.0f} had room", a, b);
  }
  if (name == "spread") {
    return fmt::format("too slow for an ordered bond: {} after the fastest link, allowed {}", ms(a),
                       ms(b));
  }
  if (name == "not_worth") {
    return fmt::format(
        "not worth its delay for bulk: {} behind the nearest link, for {:.1f} % of the "
        "rate",
        ms(a), b / 10);
  }
  if (name == "shared") {
    const auto nearer = static_cast<std::size_t>(b);
    return fmt::format("it shares a bottleneck with {}, which is {} nearer",
                       nearer < info.links.size() ? info.links[nearer] : "another link", ms(a));
  }
  if (name == "later") return "it would have delivered them " + lateness(a, b);
  if (name == "committed") {
    return fmt::format("its queue was committed beyond its horizon: {}, at most {}", ms(a), ms(b));
  }
  if (name == "window_closed") {
    return fmt::format("its in-flight limit was reached: {} beyond it", kilobytes(a));
  }
  if (name == "rule") {
    return fmt::format("the rule of {} chose otherwise; {} of packets waited there",
                       info.scheduler.empty() ? "the scheduler" : info.scheduler, ms(a));
  }
  return "reason " + (name.empty() ? std::to_string(share.reason) : name);
}

std::string words_of(const WhyAnswer& answer, const TraceInfo& info) {
  std::vector<std::string> lines{headline(answer, info)};
  lines.push_back("  " + verdict(answer, info));
  const std::string others = rest(answer, info);
  if (!others.empty()) lines.push_back("  " + others);
  add_reasons(lines, answer, info);
  lines.push_back("  " + states(answer));
  const std::string measured = condition(answer);
  if (!measured.empty()) lines.push_back("  " + measured);
  return joined(lines, "\n");
}

nlohmann::ordered_json json_of(const WhyAnswer& answer, const TraceInfo& info) {
  nlohmann::ordered_json others = nlohmann::ordered_json::object();
  for (std::size_t link = 0; link < answer.others.size(); ++link) {
    if (link != answer.link) others[info.links[link]] = answer.others[link];
  }
  nlohmann::ordered_json changes = nlohmann::ordered_json::array();
  for (const WhyChange& change : answer.changes) changes.push_back(json_of(change));
  nlohmann::ordered_json reasons = nlohmann::ordered_json::array();
  for (const WhyShare& share : answer.shares) {
    reasons.push_back({{"outcome", to_string(share.outcome)},
                       {"reason", info.reasons.at(share.reason)},
                       {"class", info.classes.at(share.class_id)},
                       {"packets", share.packets},
                       {"a", share.a},
                       {"b", share.b},
                       {"words", words_of(share, info)}});
  }
  return {{"from", std::string(1, answer.from)},
          {"link", info.links[answer.link]},
          {"begin_s", seconds_of(answer.begin)},
          {"end_s", seconds_of(answer.end)},
          {"verdict", verdict(answer, info)},
          {"packets", answer.packets},
          {"here", answer.here},
          {"both_ways", answer.copied},
          {"others", others},
          {"waiting", answer.waiting},
          {"dropped", answer.dropped},
          {"asked_ms", 1e3 * seconds_of(answer.asked)},
          {"datagrams", answer.datagrams},
          {"sent_mbps", answer.sent_mbps()},
          {"pacing_mbps", answer.pacing_mbps},
          {"state", to_string(answer.state)},
          {"since", answer.since ? json_of(*answer.since) : nlohmann::ordered_json{}},
          {"changes", changes},
          {"reasons", reasons},
          {"capacity_mbps", answer.path.capacity_mbps},
          {"srtt_ms", answer.path.srtt_ms},
          {"standing_queue_ms", answer.path.standing_queue_ms},
          {"inflight_bytes", answer.path.inflight_bytes},
          {"inflight_limit_bytes", answer.path.inflight_limit_bytes}};
}

void answer_why(const WhyRequest& request, bool json) {
  const TraceReader trace(request.place);
  const TraceInfo& info = trace.info();
  const auto answers = explain(trace, request);
  if (json) {
    nlohmann::ordered_json all{{"scenario", info.scenario}, {"variant", info.variant},
                               {"seed", info.seed},         {"scheduler", info.scheduler},
                               {"partial", !info.complete}, {"reached_s", info.reached_s}};
    all["answers"] = nlohmann::ordered_json::array();
    for (const WhyAnswer& answer : answers) all["answers"].push_back(json_of(answer, info));
    std::cout << all.dump(2) << std::endl;
    return;
  }
  std::cout << fmt::format("{}/{}/seed-{}, scheduler {}", info.scenario, info.variant, info.seed,
                           info.scheduler);
  if (!info.complete) {
    std::cout << fmt::format(". Partial: the trace ends at {:g} s of {:g} s", info.reached_s,
                             info.duration_s);
  }
  std::cout << "\n";
  for (const WhyAnswer& answer : answers) std::cout << "\n" << words_of(answer, info) << "\n";
  std::cout << std::flush;
}

}  // namespace sennit

// Random worlds, watched from outside: whatever links, hosts and enemies do, nothing is delivered
// twice, touched, out of order without being counted, in another session than its own, or held too
// long; every datagram is received or dropped for a reason; no queue passes its bound and no tunnel
// asks for memory while it runs; and when the trouble is over all paths carry traffic again and
// every slot is back in its pool.
//
// SENNIT_SEED=n starts at another world, SENNIT_WORLDS=n runs so many in all parts together. A part
// prints the seed of each world before it begins, so the last one printed is the one that failed,
// also when it crashed or never ended: SENNIT_SEED=that SENNIT_WORLDS=1 brings it back.
#include <gtest/gtest.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "core/fec/counting_new.h"
#include "core/testing/world.h"

namespace sennit {
namespace {

// As released, a world takes some 50 ms; with sanitizers or little optimisation several times that.
#ifdef NDEBUG
constexpr std::uint64_t worlds_by_default = 1000;
#else
constexpr std::uint64_t worlds_by_default = 200;
#endif
constexpr std::uint64_t parts = 10;  // ctest runs them side by side

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr std::uint16_t heartbeat = 100;
constexpr std::array ends{Pair::a, Pair::b};

struct Totals {
  std::uint64_t worlds = 0, datagrams = 0, refused = 0, delivered = 0;
};

class Watched {
 public:
  explicit Watched(const World& world) : world_(world), opened_(open(world)), pair_(*opened_.pair) {
    pair_.allocations = allocations_so_far;
    pair_.on_trace = [this](Pair::End end, const TraceRecord& record) {
      if (record.kind != TraceKind::delivered) return;
      ++traced_[end];
      Duration& longest = longest_hold_[record.class_id];
      longest = std::max(longest, Duration{static_cast<std::int64_t>(record.a)});
    };
    pair_.on_session_end = [this](Pair::End end) { expect_accounted(end); };
  }

  void run(Totals& totals) {
    run_within_bounds(World::calm + 3s);  // a path that flapped may wait for more than a second
    // Up, that is, but for false alarms: they cost little, so they come early (path_state.h).
    for (int i = 0; i < 10 && !all_up(); ++i) run_within_bounds(50ms);
    expect_all_up();
    // Some policies send a flow over one slow link only: what it left behind takes its time.
    for (int i = 0; i < 60 && busy(); ++i) run_within_bounds(1s);
    pair_.run(world_.idle);
    expect_heartbeats();
    expect_all_well();
    expect_each_once_intact_and_in_order();
    expect_held_no_longer_than_allowed();
    expect_nothing_received_twice();
    for (const Pair::End end : ends) {
      expect_accounted(end);
      totals.delivered += pair_.delivered(end).size();
    }
    totals.datagrams += datagrams_;
    totals.refused += refused_;
    ++totals.worlds;
  }

 private:
  using Heard = std::array<std::array<std::uint64_t, paths_max>, 2>;

  void run_within_bounds(Duration duration) {
    for (const Instant stop = pair_.now() + duration; pair_.now() < stop;) {
      pair_.run(std::min<Duration>(100ms, stop - pair_.now()));
      for (const Pair::End end : ends) {
        const Metrics m = pair_.metrics(end);
        EXPECT_LE(m.held_packets, resequence_max);
        EXPECT_LE(m.ingress_packets, ingress_packets_max);
        EXPECT_EQ(m.ingress_packets == 0, m.ingress_bytes == 0);
        for (const PathMetrics& path : m.paths) EXPECT_GE(path.inflight_bytes, 0);
      }
    }
  }
  bool busy() {
    return pair_.metrics(Pair::a).ingress_packets + pair_.metrics(Pair::b).ingress_packets > 0;
  }
  /// Of one session: each datagram that came was received or dropped for one reason, and no figure
  /// about it is incomplete.
  void expect_accounted(Pair::End end) {
    const Metrics m = pair_.metrics(end);
    std::uint64_t received = 0, refused = 0;
    for (const PathMetrics& path : m.paths) received += path.received_packets;
    for (const Drop reason :
         {Drop::malformed, Drop::unknown_session, Drop::not_authentic, Drop::replayed}) {
      refused += m.drops[static_cast<std::size_t>(reason)];
    }
    EXPECT_EQ(received + refused, pair_.handed(end)) << "at end " << end;
    EXPECT_EQ(m.trace_overflow + m.events_overflow, 0u) << "at end " << end;
    late_[end] += m.delivered_late;
    datagrams_ += pair_.handed(end);
    refused_ += refused;
  }
  /// Of the present session: no more was received on a path than the peer sent on it.
  void expect_nothing_received_twice() {
    for (const Pair::End end : ends) {
      const Metrics to = pair_.metrics(end);
      const Metrics from = pair_.metrics(end == Pair::a ? Pair::b : Pair::a);
      for (std::size_t i = 0; i < world_.links.size(); ++i) {
        EXPECT_LE(to.paths[i].received_packets, from.paths[i].sent_packets) << "link " << i;
        EXPECT_LE(to.paths[i].received_bytes, from.paths[i].sent_bytes) << "link " << i;
      }
    }
  }
  void expect_each_once_intact_and_in_order() {
    for (const Pair::End end : ends) {
      const auto& delivered = pair_.delivered(end);
      EXPECT_TRUE(all_intact(delivered));
      EXPECT_TRUE(std::all_of(delivered.begin(), delivered.end(),
                              [](const Delivery& d) { return d.current; }));
      EXPECT_EQ(traced_[end], delivered.size());
      EXPECT_EQ(repeated(delivered, heartbeat), 0u);
      std::size_t late = 0;
      for (const World::Flow& flow : world_.flows) {
        EXPECT_EQ(repeated(delivered, flow.id), 0u) << "flow " << flow.id;
        const std::size_t overtaken = out_of_order(delivered, flow.id);
        const std::size_t class_id = class_of(flow.dscp);
        if (!world_.config.classes[class_id].ordered) continue;
        if (world_.config.classes[class_id].realtime) {
          EXPECT_EQ(overtaken, 0u) << "flow " << flow.id;
        }
        late += overtaken;
      }
      EXPECT_LE(late, late_[end] + pair_.metrics(end).delivered_late) << "at end " << end;
    }
  }
  void expect_held_no_longer_than_allowed() {
    for (std::size_t i = 0; i < world_.config.classes.size(); ++i) {
      const Duration cap = world_.config.classes[i].hold_max + world_.options.coalescing;
      EXPECT_LE(longest_hold_[i], cap + 1us) << world_.config.classes[i].name;
    }
  }
  bool all_up() {
    bool up = true;
    for (const Pair::End end : ends) {
      for (std::size_t i = 0; i < world_.links.size(); ++i) {
        up = up && pair_.state(end, i) == PathState::up;
      }
    }
    return up;
  }
  void expect_all_up() {
    for (const Pair::End end : ends) {
      for (std::size_t i = 0; i < world_.links.size(); ++i) {
        EXPECT_EQ(to_string(pair_.state(end, i)), "up") << "link " << i << " at end " << end;
      }
    }
  }
  Heard heard() {
    Heard result{};
    for (const Pair::End end : ends) {
      const Metrics m = pair_.metrics(end);
      for (std::size_t i = 0; i < paths_max; ++i) result[end][i] = m.paths[i].received_packets;
    }
    return result;
  }
  /// Amid all that was recorded. A path that carried little while it was troubled is held to be
  /// slow, and CoDel may age some packets until it has proved otherwise; not for two seconds.
  void expect_heartbeats() {
    const auto before = heard();
    const Instant recovered = pair_.now() + 2s;
    std::array<std::uint64_t, 2> aged{};
    for (const Pair::End end : ends) {
      aged[end] = pair_.drops(end, Drop::queue_aged);
      pair_.send_stream(end, heartbeat, BitRate::from_mbps(0.2), 2500ms, 500, dscp_interactive);
    }
    opened_.mischief->replay_all(1s);
    run_within_bounds(3500ms);
    expect_all_heard_since(before);
    for (const Pair::End end : ends) {
      EXPECT_EQ(pair_.missing(end, heartbeat, recovered), 0u) << "from end " << end;
      EXPECT_EQ(pair_.missing(end, heartbeat), pair_.drops(end, Drop::queue_aged) - aged[end]);
    }
  }
  void expect_all_heard_since(const Heard& before) {
    const Heard now = heard();
    for (const Pair::End end : ends) {
      for (std::size_t i = 0; i < world_.links.size(); ++i) {
        EXPECT_GT(now[end][i], before[end][i] + 3) << "link " << i << " at end " << end;
      }
    }
  }
  void expect_all_well() {
    for (const Pair::End end : ends) {
      EXPECT_EQ(pair_.metrics(end).held_packets, 0u);
      EXPECT_EQ(pair_.metrics(end).ingress_packets, 0u);
      EXPECT_EQ(pair_.pool(end).available(), pair_.pool(end).slots()) << "at end " << end;
    }
    EXPECT_EQ(pair_.tunnel_allocations, 0u);
  }
  static std::size_t class_of(std::uint8_t dscp) {
    return dscp == dscp_realtime ? 0 : dscp == dscp_interactive ? 1 : 2;
  }

  const World& world_;
  OpenWorld opened_;
  Pair& pair_;
  std::array<Duration, classes_max> longest_hold_{};
  std::array<std::uint64_t, 2> traced_{}, late_{};
  std::uint64_t datagrams_ = 0, refused_ = 0;
};

class Swarm : public testing::TestWithParam<std::uint64_t> {
 protected:
  static void TearDownTestSuite() {
    std::printf("%" PRIu64 " worlds: %" PRIu64 " datagrams arrived, of which %" PRIu64
                " were refused; %" PRIu64 " packets delivered\n",
                totals.worlds, totals.datagrams, totals.refused, totals.delivered);
  }
  static inline Totals totals;
};

TEST_P(Swarm, random_worlds_are_survived) {
  const std::uint64_t first = from_environment("SENNIT_SEED", 1);
  const std::uint64_t worlds = from_environment("SENNIT_WORLDS", worlds_by_default);
  const std::uint64_t end = first + worlds * (GetParam() + 1) / parts;
  for (std::uint64_t seed = first + worlds * GetParam() / parts; seed < end; ++seed) {
    std::printf("%" PRIu64 " ", seed);
    std::fflush(stdout);
    const World world = draw_world(seed);
    Watched{world}.run(totals);
    if (HasFailure()) {
      ADD_FAILURE() << world;
      return;
    }
  }
  std::printf("\n");
}
INSTANTIATE_TEST_SUITE_P(part, Swarm, testing::Range<std::uint64_t>(0, parts));

}  // namespace
}  // namespace sennit

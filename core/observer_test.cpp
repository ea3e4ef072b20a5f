#include "core/observer.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sennit {
namespace {

Event moved(std::size_t i) { return PathMoved{PathId{static_cast<std::uint8_t>(i)}}; }
std::size_t path_of(const Event& event) { return index(std::get<PathMoved>(event).path); }

void trace(Observer& observer, std::uint64_t sequence) {
  observer.trace(Instant{5s}, TraceKind::sent, 3, ClassId{2}, sequence, 7, 8, 1400);
}

TEST(Observer, events_come_out_in_order) {
  Observer observer{false};
  EXPECT_FALSE(observer.poll_event());
  for (std::size_t i = 0; i < 3; ++i) observer.event(moved(i));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(path_of(*observer.poll_event()), i);
  EXPECT_FALSE(observer.poll_event());
  EXPECT_EQ(observer.events_overflow(), 0u);
}

TEST(Observer, too_many_events_lose_the_oldest_and_count_them) {
  Observer observer{false};
  for (std::size_t i = 0; i < events_max + 10; ++i) observer.event(moved(i % 256));
  EXPECT_EQ(observer.events_overflow(), 10u);
  std::size_t n = 0;
  while (const auto event = observer.poll_event()) EXPECT_EQ(path_of(*event), (10 + n++) % 256);
  EXPECT_EQ(n, events_max);
}

TEST(Observer, a_trace_record_holds_what_was_told) {
  Observer observer{true};
  trace(observer, 123456789012);
  std::array<TraceRecord, 4> out{};
  ASSERT_EQ(observer.poll_trace(out), 1u);
  EXPECT_EQ(out[0].at_ns, 5'000'000'000);
  EXPECT_EQ(out[0].sequence, 123456789012u);
  EXPECT_EQ(out[0].a, 7u);
  EXPECT_EQ(out[0].b, 8u);
  EXPECT_EQ(out[0].size, 1400u);
  EXPECT_EQ(out[0].class_id, 2u);
  EXPECT_EQ(out[0].kind, TraceKind::sent);
  EXPECT_EQ(out[0].path, 3);
}

TEST(Observer, too_many_records_lose_the_oldest_and_count_them) {
  Observer observer{true};
  for (std::uint64_t i = 0; i < trace_max + 100; ++i) trace(observer, i);
  EXPECT_EQ(observer.trace_overflow(), 100u);
  std::array<TraceRecord, 1000> out{};
  std::uint64_t next = 100;
  while (const std::size_t n = observer.poll_trace(out)) {
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i].sequence, next++);
  }
  EXPECT_EQ(next, trace_max + 100);
}

TEST(Observer, a_reader_that_keeps_up_loses_no_record) {
  Observer observer{true};
  std::array<TraceRecord, 700> out{};
  std::uint64_t told = 0, read = 0;
  while (told < 5 * trace_max) {
    for (int i = 0; i < 611; ++i) trace(observer, told++);
    const std::size_t n = observer.poll_trace(out);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i].sequence, read++);
  }
  EXPECT_EQ(read, told);
  EXPECT_EQ(observer.trace_overflow(), 0u);
}

TEST(Observer, without_tracing_there_are_no_records_but_drops_still_count) {
  Observer observer{false};
  observer.dropped(Instant{}, Drop::malformed, 100);
  trace(observer, 1);
  std::array<TraceRecord, 4> out{};
  EXPECT_EQ(observer.poll_trace(out), 0u);
  EXPECT_EQ(observer.drops()[static_cast<std::size_t>(Drop::malformed)], 1u);
  EXPECT_EQ(observer.trace_overflow(), 0u);
}

TEST(Observer, every_drop_counts_under_its_own_reason_and_is_traced) {
  Observer observer{true};
  PacketPool pool{1};
  Packet packet = pool.allocate();
  packet.append(60);
  packet.info().class_id = ClassId{1};
  for (std::size_t i = 0; i < drop_count; ++i) {
    observer.dropped(Instant{1s}, static_cast<Drop>(i), packet, 4);
  }
  for (const std::uint64_t n : observer.drops()) EXPECT_EQ(n, 1u);
  std::array<TraceRecord, 32> out{};
  ASSERT_EQ(observer.poll_trace(out), drop_count);
  for (std::size_t i = 0; i < drop_count; ++i) {
    EXPECT_EQ(out[i].kind, TraceKind::dropped);
    EXPECT_EQ(out[i].a, i);
    EXPECT_EQ(out[i].size, 60u);
    EXPECT_EQ(out[i].path, 4);
  }
}

TEST(Observer, every_reason_and_state_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < drop_count; ++i) names.insert(to_string(static_cast<Drop>(i)));
  EXPECT_EQ(names.size(), drop_count);
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(to_string(Drop::fec_useless), "fec_useless");
  EXPECT_EQ(to_string(PathState::down), "down");
}

TEST(Observer, equal_digests_mean_equal_decisions_in_equal_order) {
  Observer a{false}, b{false}, swapped{false}, shorter{false};
  for (const std::uint64_t word : {1u, 2u, 3u}) a.decided(word);
  for (const std::uint64_t word : {1u, 2u, 3u}) b.decided(word);
  for (const std::uint64_t word : {2u, 1u, 3u}) swapped.decided(word);
  for (const std::uint64_t word : {1u, 2u}) shorter.decided(word);
  EXPECT_EQ(a.digest(), b.digest());
  EXPECT_EQ((std::set{a.digest(), swapped.digest(), shorter.digest()}.size()), 3u);
}

}  // namespace
}  // namespace sennit

// Round trips of everything that has bytes, and hostile bytes against every parser. Hostile input
// lies in buffers of exactly its size, so that a sanitizer sees the first byte read beyond the end.
#include "core/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/rng.h"

namespace sennit::wire {
namespace {

using Octets = std::vector<std::byte>;

Octets random_octets(Rng& rng, std::size_t size) {
  Octets bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(rng.next() >> 56);
  return bytes;
}

// --- header ---

TEST(Wire, a_header_survives_the_round_trip) {
  Octets datagram(datagram_overhead);
  write_header(std::span{datagram}.first<header_size>(), {15, 0x89abcdef, 0xfedcba98});
  const auto header = read_header(datagram);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->path, 15);
  EXPECT_EQ(header->receiver_index, 0x89abcdefu);
  EXPECT_EQ(header->packet_number, 0xfedcba98u);
}

TEST(Wire, a_header_lies_on_the_wire_as_documented) {
  Octets out(header_size);
  write_header(std::span{out}.first<header_size>(), {3, 0x01020304, 0x05060708});
  const Octets expected{std::byte{4}, std::byte{3}, std::byte{1}, std::byte{2}, std::byte{3},
                        std::byte{4}, std::byte{5}, std::byte{6}, std::byte{7}, std::byte{8}};
  EXPECT_EQ(out, expected);
}

TEST(Wire, a_datagram_too_short_of_another_type_or_path_has_no_header) {
  for (std::size_t size = 0; size < datagram_overhead; ++size) {
    Octets datagram(size);
    if (size > 0) datagram[0] = std::byte{type_transport};
    EXPECT_FALSE(read_header(datagram)) << size;
  }
  Octets datagram(datagram_overhead);
  for (unsigned type = 0; type < 256; ++type) {
    datagram[0] = static_cast<std::byte>(type);
    EXPECT_EQ(read_header(datagram).has_value(), type == type_transport);
  }
  datagram[0] = std::byte{type_transport};
  for (unsigned path = 0; path < 256; ++path) {
    datagram[1] = static_cast<std::byte>(path);
    EXPECT_EQ(read_header(datagram).has_value(), path < paths_max);
  }
}

// --- fields ---

TEST(Wire, data_fields_survive_the_round_trip) {
  Rng rng{1};
  for (int i = 0; i < 1000; ++i) {
    const DataFields in{static_cast<std::uint32_t>(rng.next()),
                        static_cast<std::uint32_t>(rng.below(flow_buckets)),
                        static_cast<std::uint32_t>(rng.below(1u << flow_sequence_bits))};
    Octets bytes(data_fields_size);
    write_data_fields(bytes, in);
    const auto out = read_data_fields(bytes);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->sequence, in.sequence);
    EXPECT_EQ(out->flow_bucket, in.flow_bucket);
    EXPECT_EQ(out->flow_sequence, in.flow_sequence);
  }
}

TEST(Wire, repair_fields_survive_the_round_trip) {
  Octets bytes(repair_fields_size);
  write_repair_fields(bytes, {3, 0xdeadbeef, fec_source_max, 200, 17});
  const auto out = read_repair_fields(bytes);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->code, 3);
  EXPECT_EQ(out->base, 0xdeadbeefu);
  EXPECT_EQ(out->length, fec_source_max);
  EXPECT_EQ(out->row, 200);
  EXPECT_EQ(out->rows, 17);
}

TEST(Wire, a_repair_that_covers_nothing_or_too_much_is_refused) {
  Octets bytes(repair_fields_size);
  for (unsigned length = 0; length < 256; ++length) {
    write_repair_fields(bytes, {1, 0, static_cast<std::uint8_t>(length), 0, 1});
    EXPECT_EQ(read_repair_fields(bytes).has_value(), length > 0 && length <= fec_source_max);
  }
}

TEST(Wire, fields_cut_short_are_refused) {
  for (std::size_t size = 0; size < data_fields_size; ++size) {
    EXPECT_FALSE(read_data_fields(Octets(size, std::byte{1}))) << size;
    EXPECT_FALSE(read_repair_fields(Octets(size, std::byte{1}))) << size;
  }
}

// --- frames ---

/// Appends a frame of `size` bytes with a body that counts from `first`.
void append_frame(Octets& out, FrameKind kind, ClassId class_id, std::size_t size, bool length) {
  out.push_back(frame_kind(kind, class_id, length));
  if (length) {
    out.push_back(static_cast<std::byte>(size >> 8));
    out.push_back(static_cast<std::byte>(size & 0xff));
  }
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::byte>(i));
}

constexpr std::array all_kinds{FrameKind::data,        FrameKind::data_overtook, FrameKind::repair,
                               FrameKind::report,      FrameKind::ping,          FrameKind::pong,
                               FrameKind::path_status, FrameKind::tail};

TEST(Wire, frames_come_back_in_order_with_kind_class_and_body) {
  Octets bytes;
  for (std::size_t i = 0; i < all_kinds.size(); ++i) {
    append_frame(bytes, all_kinds[i], ClassId{static_cast<std::uint8_t>(i % classes_max)}, 300 * i,
                 i + 1 < all_kinds.size());
  }
  std::span<std::byte> rest{bytes};
  for (std::size_t i = 0; i < all_kinds.size(); ++i) {
    const auto frame = next_frame(rest);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->kind, all_kinds[i]);
    EXPECT_EQ(index(frame->class_id), i % classes_max);
    ASSERT_EQ(frame->body.size(), 300 * i);
    for (std::size_t k = 0; k < frame->body.size(); ++k) {
      ASSERT_EQ(frame->body[k], static_cast<std::byte>(k));
    }
  }
  EXPECT_TRUE(rest.empty());
  EXPECT_FALSE(next_frame(rest));
}

TEST(Wire, a_frame_longer_than_its_datagram_is_refused_and_taken_nothing_of) {
  Octets bytes;
  append_frame(bytes, FrameKind::data, ClassId{}, 100, true);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    Octets cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    std::span<std::byte> rest{cut};
    EXPECT_FALSE(next_frame(rest)) << size;
    EXPECT_EQ(rest.size(), size);
  }
}

TEST(Wire, any_eliciting_frame_makes_its_datagram_eliciting) {
  for (const FrameKind kind : all_kinds) {
    Octets bytes;
    append_frame(bytes, FrameKind::path_status, ClassId{}, 3, true);
    append_frame(bytes, kind, ClassId{}, 8, false);
    EXPECT_EQ(is_ack_eliciting(std::span<std::byte>{bytes}), is_ack_eliciting(kind));
  }
  EXPECT_FALSE(is_ack_eliciting(FrameKind::report)) << "reports of reports would never end";
  EXPECT_FALSE(is_ack_eliciting(FrameKind::pong));
  EXPECT_TRUE(is_ack_eliciting(FrameKind::data));
  EXPECT_TRUE(is_ack_eliciting(FrameKind::ping));
}

// --- reports ---

/// A report as a receiver could make it: ranges newest first, with gaps of one or more.
PathReport random_report(Rng& rng, std::size_t range_count) {
  PathReport report;
  report.path = static_cast<std::uint8_t>(rng.below(paths_max));
  report.largest_arrival_us = static_cast<std::uint32_t>(rng.next());
  report.received_bytes = static_cast<std::uint32_t>(rng.next());
  report.ce_count = static_cast<std::uint16_t>(rng.next());
  report.one_way_min_us = static_cast<std::uint32_t>(rng.next());
  report.range_count = static_cast<std::uint8_t>(range_count);
  std::uint64_t at = (std::uint64_t{1} << 33) + rng.below(std::uint64_t{1} << 33);
  report.largest = PathSeq{at};
  for (std::size_t i = 0; i < range_count; ++i) {
    const std::uint64_t length = rng.chance(0.5) ? rng.below(3) : rng.below(8192);
    report.ranges[i] = {PathSeq{at - length}, PathSeq{at}};
    at -= length + 2 + (rng.chance(0.5) ? 0 : rng.below(8192));
  }
  return report;
}

std::array<PathSeq, paths_max> expecting(PathSeq number) {
  std::array<PathSeq, paths_max> expected;
  expected.fill(number);
  return expected;
}

void expect_equal(const PathReport& a, const PathReport& b) {
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.largest, b.largest);
  EXPECT_EQ(a.largest_arrival_us, b.largest_arrival_us);
  EXPECT_EQ(a.received_bytes, b.received_bytes);
  EXPECT_EQ(a.ce_count, b.ce_count);
  EXPECT_EQ(a.one_way_min_us, b.one_way_min_us);
  ASSERT_EQ(a.range_count, b.range_count);
  for (std::size_t i = 0; i < a.range_count; ++i) {
    ASSERT_EQ(a.ranges[i].first, b.ranges[i].first) << i;
    ASSERT_EQ(a.ranges[i].last, b.ranges[i].last) << i;
  }
}

TEST(Wire, reports_of_every_number_of_ranges_survive_the_round_trip) {
  Rng rng{2};
  for (std::size_t ranges = 1; ranges <= report_ranges_max; ++ranges) {
    const PathReport in = random_report(rng, ranges);
    Octets bytes(report_size_max);
    bytes.resize(write_report(bytes, in));
    ASSERT_EQ(bytes.size(), report_fields_size + 2 + 4 * (ranges - 1));
    std::span<const std::byte> body{bytes};
    const auto out = read_report(body, expecting(in.largest.plus(rng.below(10'000))));
    ASSERT_TRUE(out) << ranges;
    expect_equal(in, *out);
    EXPECT_TRUE(body.empty());
  }
}

TEST(Wire, several_reports_follow_each_other) {
  Rng rng{3};
  std::vector<PathReport> in;
  Octets bytes;
  for (std::size_t i = 0; i < 5; ++i) {
    in.push_back(random_report(rng, 1 + rng.below(report_ranges_max)));
    Octets one(report_size_max);
    one.resize(write_report(one, in.back()));
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  std::span<const std::byte> body{bytes};
  for (const PathReport& report : in) {
    const auto out = read_report(body, expecting(report.largest));
    ASSERT_TRUE(out);
    expect_equal(report, *out);
  }
  EXPECT_TRUE(body.empty());
}

TEST(Wire, a_report_may_reach_down_to_number_zero_but_not_below) {
  PathReport report;
  report.range_count = 2;
  report.largest = PathSeq{4};
  report.ranges[0] = {PathSeq{2}, PathSeq{4}};
  report.ranges[1] = {PathSeq{0}, PathSeq{0}};
  Octets bytes(report_size_max);
  bytes.resize(write_report(bytes, report));
  std::span<const std::byte> body{bytes};
  const auto out = read_report(body, expecting(PathSeq{5}));
  ASSERT_TRUE(out);
  expect_equal(report, *out);
  for (std::size_t at = report_fields_size; at < bytes.size(); at += 2) {
    Octets below = bytes;  // any length or gap one larger reaches below zero
    below[at + 1] = static_cast<std::byte>(static_cast<unsigned>(below[at + 1]) + 1);
    std::span<const std::byte> hostile{below};
    EXPECT_FALSE(read_report(hostile, expecting(PathSeq{5}))) << at;
    EXPECT_EQ(hostile.size(), below.size()) << "a refused report is not taken";
  }
}

TEST(Wire, a_report_that_does_not_fit_is_not_written) {
  Rng rng{4};
  const PathReport report = random_report(rng, 10);
  const std::size_t size = report_fields_size + 2 + 4 * 9;
  for (std::size_t room = 0; room < size; ++room) {
    Octets bytes(room);
    EXPECT_EQ(write_report(bytes, report), 0u) << room;
  }
  Octets bytes(size);
  EXPECT_EQ(write_report(bytes, report), size);
  EXPECT_EQ(write_report(bytes, PathReport{}), 0u) << "nothing was received: nothing to report";
}

TEST(Wire, a_report_cut_short_anywhere_is_refused) {
  Rng rng{8};
  const PathReport report = random_report(rng, 7);
  Octets bytes(report_size_max);
  bytes.resize(write_report(bytes, report));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Octets cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    std::span<const std::byte> body{cut};
    EXPECT_FALSE(read_report(body, expecting(report.largest))) << size;
    EXPECT_EQ(body.size(), size);
  }
}

TEST(Wire, a_report_of_no_or_too_many_ranges_or_of_an_unknown_path_is_refused) {
  Rng rng{5};
  PathReport report = random_report(rng, report_ranges_max);
  Octets bytes(report_size_max);
  ASSERT_EQ(write_report(bytes, report), report_fields_size + 2 + 4 * (report_ranges_max - 1));
  const auto accepted = [&](std::size_t at, unsigned value) {
    Octets changed = bytes;
    changed[at] = static_cast<std::byte>(value);
    changed.resize(4096);
    std::span<const std::byte> body{changed};
    return read_report(body, expecting(report.largest)).has_value();
  };
  for (unsigned path = 0; path < 256; ++path) EXPECT_EQ(accepted(0, path), path < paths_max);
  for (unsigned n = 0; n < 256; ++n) {
    EXPECT_EQ(accepted(report_fields_size - 1, n), n > 0 && n <= report_ranges_max) << n;
  }
}

// --- hostile bytes ---

/// What any accepted report promises to those who use it.
void expect_sound(const PathReport& report) {
  ASSERT_LT(report.path, paths_max);
  ASSERT_GE(report.range_count, 1);
  ASSERT_LE(report.range_count, report_ranges_max);
  ASSERT_EQ(report.ranges[0].last, report.largest);
  for (std::size_t i = 0; i < report.range_count; ++i) {
    ASSERT_LE(report.ranges[i].first, report.ranges[i].last);
    if (i > 0) {
      ASSERT_LT(report.ranges[i].last.next(), report.ranges[i - 1].first);
    }
  }
}

/// Reads `bytes` as a peer's decrypted frames with every parser there is.
void read_everything(std::span<std::byte> bytes) {
  (void)read_header(bytes);
  (void)is_ack_eliciting(bytes);
  const std::byte* const end = bytes.data() + bytes.size();
  std::size_t steps = 0;
  for (std::span<std::byte> rest = bytes; !rest.empty();) {
    const auto frame = next_frame(rest);
    if (!frame) break;
    ASSERT_LE(++steps, bytes.size()) << "a parser that makes no progress";
    ASSERT_LT(index(frame->class_id), classes_max);
    if (!frame->body.empty()) {
      ASSERT_GE(frame->body.data(), bytes.data());
      ASSERT_LE(frame->body.data() + frame->body.size(), end);
    }
    (void)read_repair_fields(frame->body);
    if (const auto fields = read_data_fields(frame->body)) {
      ASSERT_LT(fields->flow_bucket, flow_buckets);
      ASSERT_LT(fields->flow_sequence, 1u << flow_sequence_bits);
    }
    for (std::span<const std::byte> body = frame->body; !body.empty();) {
      const std::size_t before = body.size();
      const auto report = read_report(body, expecting(PathSeq{1000}));
      if (!report) break;
      ASSERT_LT(body.size(), before);
      expect_sound(*report);
    }
  }
}

/// Frames of every kind as a tunnel sends them: reports first, then data that takes the rest.
Octets honest_frames(Rng& rng) {
  Octets bytes;
  append_frame(bytes, FrameKind::path_status, ClassId{}, 3, true);
  Octets report(report_size_max);
  report.resize(write_report(report, random_report(rng, 12)));
  append_frame(bytes, FrameKind::report, ClassId{}, report.size(), true);
  std::copy(report.begin(), report.end(), bytes.end() - static_cast<std::ptrdiff_t>(report.size()));
  append_frame(bytes, FrameKind::tail, ClassId{1}, 4, true);
  append_frame(bytes, FrameKind::repair, ClassId{2}, repair_fields_size + 20, true);
  append_frame(bytes, FrameKind::data, ClassId{2}, data_fields_size + 40, false);
  return bytes;
}

TEST(Wire, frames_cut_at_any_length_are_read_within_their_bounds) {
  Rng rng{6};
  const Octets honest = honest_frames(rng);
  for (std::size_t size = 0; size <= honest.size(); ++size) {
    Octets cut(honest.begin(), honest.begin() + static_cast<std::ptrdiff_t>(size));
    cut.shrink_to_fit();
    read_everything(cut);
    if (HasFatalFailure()) FAIL() << "cut to " << size;
  }
}

TEST(Wire, frames_with_any_bit_flipped_are_read_within_their_bounds) {
  Rng rng{7};
  const Octets honest = honest_frames(rng);
  for (std::size_t bit = 0; bit < 8 * honest.size(); ++bit) {
    Octets flipped = honest;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    read_everything(flipped);
    if (HasFatalFailure()) FAIL() << "bit " << bit;
  }
}

TEST(Wire, random_bytes_are_read_within_their_bounds) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Rng rng{seed};
    Octets bytes = random_octets(rng, rng.below(200));
    // Small numbers make lengths and counts plausible, so that parsing goes further.
    if (seed % 2 == 0) {
      for (std::byte& b : bytes) b &= std::byte{0x9f};
    }
    read_everything(bytes);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

TEST(Wire, random_reports_are_refused_or_sound) {
  int accepted = 0;
  for (std::uint64_t seed = 1; seed <= 50'000; ++seed) {
    Rng rng{seed};
    Octets bytes = random_octets(rng, report_fields_size + rng.below(140));
    bytes[0] &= std::byte{0x0f};
    bytes[report_fields_size - 1] &= std::byte{0x1f};
    std::span<const std::byte> body{bytes};
    const auto report = read_report(body, expecting(PathSeq{std::uint64_t{1} << 40}));
    if (!report) continue;
    ++accepted;
    expect_sound(*report);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_GT(accepted, 1000) << "or the test tests nothing";
}

TEST(Wire, a_reader_past_the_end_reads_zero_and_says_so) {
  const Octets bytes{std::byte{1}, std::byte{2}, std::byte{3}};
  Reader reader{bytes};
  EXPECT_EQ(reader.u16(), 0x0102);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.left(), 0u);
  EXPECT_EQ(reader.u8(), 0);
}

}  // namespace
}  // namespace sennit::wire

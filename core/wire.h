// Every byte on the wire, on one screen (docs/protocol.md explains why). All integers are
// big-endian. A parser here never reads past what it was given and never trusts a length.
//
//   datagram  = header (10, authenticated) | sealed( timestamp 4, frame... ) | tag 16
//   header    = type 1 | path id 1 | receiver index 4 | packet number, low 32 bits 4
//   frame     = kind 1 [ | length 2 ] | body            the length is there when bit 7 of kind is
//   set;
//                                                       a frame without one takes the rest
//   kind      = bit 7: length follows | bits 6..4: traffic class | bits 3..0: FrameKind
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "core/bounds.h"
#include "core/units.h"

namespace sennit::wire {

inline constexpr std::uint8_t type_transport = 4;
inline constexpr std::size_t header_size = 10;
inline constexpr std::size_t timestamp_size = 4;
inline constexpr std::size_t tag_size = 16;
inline constexpr std::size_t kind_size = 1;
inline constexpr std::size_t length_size = 2;
inline constexpr std::size_t data_fields_size = 8;
inline constexpr std::size_t repair_fields_size = 8;
inline constexpr std::size_t symbol_fields_size = 6;  // length and flow inside a coded symbol

/// What any datagram costs, and what an inner packet alone in its datagram costs.
inline constexpr std::size_t datagram_overhead = header_size + timestamp_size + tag_size;
inline constexpr std::size_t data_overhead = datagram_overhead + kind_size + data_fields_size;
/// A repair symbol carries the length and flow of what it protects: the inner MTU leaves room for
/// it.
inline constexpr std::size_t repair_overhead =
    datagram_overhead + kind_size + repair_fields_size + symbol_fields_size;
static_assert(data_overhead == 39 && repair_overhead == 45);
static_assert(header_size + timestamp_size + kind_size + length_size + data_fields_size <=
              headroom);
static_assert(tag_size <= tailroom);

enum class FrameKind : std::uint8_t {
  data = 1,           // DataFields, inner packet
  data_overtook = 2,  // the same, sent out of sequence order: proves no loss
  repair = 4,         // RepairFields, coded bytes
  report = 5,         // PathReport, one per path
  ping = 6,           // token 8, padding
  pong = 7,           // token 8
  path_status = 8,    // PathStatus
  tail = 9,           // last data sequence assigned to this path or none later: 4
  padding = 10,       // any bytes: fills a path whose capacity is being measured
};

struct Header {
  std::uint8_t path;
  std::uint32_t receiver_index;
  std::uint32_t packet_number;  // low 32 bits
};
struct DataFields {
  std::uint32_t sequence;       // DataSeq, low 32 bits
  std::uint32_t flow_bucket;    // 10 bits
  std::uint32_t flow_sequence;  // 22 bits
};
inline constexpr unsigned flow_sequence_bits = 22;

struct RepairFields {
  std::uint8_t code;    // FecCode
  std::uint32_t base;   // DataSeq of the first symbol covered, low 32 bits
  std::uint8_t length;  // symbols covered
  std::uint8_t row;     // which repair of the block, or the key of a sliding code
  std::uint8_t rows;    // repairs of the block
};

/// Acknowledged packet numbers [first, last].
struct AckRange {
  PathSeq first, last;
};

/// What a receiver tells about one path. Counters are cumulative, so a lost report loses nothing.
struct PathReport {
  std::uint8_t path = 0;
  PathSeq largest{};                     // 32 bits on the wire
  std::uint32_t largest_arrival_us = 0;  // receiver's clock, wrapping
  std::uint32_t received_bytes = 0;      // datagram bytes since the session began, wrapping
  std::uint16_t ce_count = 0;            // wrapping
  std::uint32_t one_way_min_us = 0;      // receiver's clock minus sender's, least of the interval
  std::uint8_t range_count = 0;
  std::array<AckRange, report_ranges_max> ranges{};  // newest first; the first ends at `largest`
};
inline constexpr std::size_t report_fields_size = 1 + 4 + 4 + 4 + 2 + 4 + 1;
inline constexpr std::size_t report_size_max = report_fields_size + 4 * report_ranges_max;

enum class PathUse : std::uint8_t { available = 0, standby = 1, closing = 2 };
struct PathStatus {
  std::uint8_t path;
  PathUse use;
  std::uint8_t cost;
};

/// One frame as it lies in a datagram.
struct Frame {
  FrameKind kind;
  ClassId class_id;
  std::span<std::byte> body;
};

/// To network byte order, or back. (Compilers make one instruction of this, but not of a loop over
/// the bytes.)
template <class T>
constexpr T network_order(T v) {
  if constexpr (std::endian::native == std::endian::big || sizeof v == 1) return v;
  if constexpr (sizeof v == 2) return __builtin_bswap16(v);
  if constexpr (sizeof v == 4) return __builtin_bswap32(v);
  if constexpr (sizeof v == 8) return __builtin_bswap64(v);
}

/// Writes big-endian fields into a span whose size the caller has checked.
class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : out_(out) {}
  void u8(std::uint8_t v) { put(v); }
  void u16(std::uint16_t v) { put(v); }
  void u32(std::uint32_t v) { put(v); }
  void u64(std::uint64_t v) { put(v); }
  std::size_t size() const { return at_; }

 private:
  template <class T>
  void put(T v) {
    v = network_order(v);
    std::memcpy(out_.data() + at_, &v, sizeof v);
    at_ += sizeof v;
  }
  std::span<std::byte> out_;
  std::size_t at_ = 0;
};

/// Reads big-endian fields. After reading past the end every field is 0 and ok() is false.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> in) : in_(in) {}
  std::uint8_t u8() { return get<std::uint8_t>(); }
  std::uint16_t u16() { return get<std::uint16_t>(); }
  std::uint32_t u32() { return get<std::uint32_t>(); }
  std::uint64_t u64() { return get<std::uint64_t>(); }
  bool ok() const { return ok_; }
  std::size_t left() const { return in_.size() - at_; }

 private:
  template <class T>
  T get() {
    T v{};
    if (left() < sizeof v) {
      ok_ = false;
      at_ = in_.size();
      return v;
    }
    std::memcpy(&v, in_.data() + at_, sizeof v);
    at_ += sizeof v;
    return network_order(v);
  }
  std::span<const std::byte> in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

void write_header(std::span<std::byte, header_size> out, const Header& header);
/// Nothing when it is too short to hold header, timestamp and tag, or of another type.
std::optional<Header> read_header(std::span<const std::byte> datagram);

/// Must the receiver of the frame report that it came?
constexpr bool is_ack_eliciting(FrameKind kind) {
  return kind == FrameKind::data || kind == FrameKind::data_overtook || kind == FrameKind::repair ||
         kind == FrameKind::ping || kind == FrameKind::padding;
}
/// The same for all frames of a datagram, without its timestamp. Both ends must agree.
bool is_ack_eliciting(std::span<std::byte> frames);

std::byte frame_kind(FrameKind kind, ClassId class_id, bool length_follows);
void write_data_fields(std::span<std::byte> out, const DataFields& fields);
std::optional<DataFields> read_data_fields(std::span<const std::byte> body);
void write_repair_fields(std::span<std::byte> out, const RepairFields& fields);
std::optional<RepairFields> read_repair_fields(std::span<const std::byte> body);

/// Appends one path's report; returns the bytes written, 0 when `out` is too small for its ranges.
std::size_t write_report(std::span<std::byte> out, const PathReport& report);
/// Takes one path's report off the front of `body`. `expected` is the largest number ever sent on a
/// path, to expand 32 bits. Nothing when it is malformed.
std::optional<PathReport> read_report(std::span<const std::byte>& body,
                                      std::span<const PathSeq, paths_max> expected);

/// Takes the next frame off the front of `rest`. Nothing when it is malformed (`rest` is then
/// unchanged) or empty.
std::optional<Frame> next_frame(std::span<std::byte>& rest);

}  // namespace sennit::wire

#include "core/wire.h"

#include <algorithm>

namespace sennit::wire {

void write_header(std::span<std::byte, header_size> out, const Header& header) {
  Writer writer{out};
  writer.u8(type_transport);
  writer.u8(header.path);
  writer.u32(header.receiver_index);
  writer.u32(header.packet_number);
}

std::optional<Header> read_header(std::span<const std::byte> datagram) {
  if (datagram.size() < datagram_overhead) return std::nullopt;
  Reader reader{datagram};
  if (reader.u8() != type_transport) return std::nullopt;
  Header header{};
  header.path = reader.u8();
  header.receiver_index = reader.u32();
  header.packet_number = reader.u32();
  if (header.path >= paths_max) return std::nullopt;
  return header;
}

bool is_ack_eliciting(std::span<std::byte> frames) {
  while (const auto frame = next_frame(frames)) {
    if (is_ack_eliciting(frame->kind)) return true;
  }
  return false;
}

std::byte frame_kind(FrameKind kind, ClassId class_id, bool length_follows) {
  const unsigned value = (length_follows ? 0x80u : 0u) | static_cast<unsigned>(class_id) << 4 |
                         static_cast<unsigned>(kind);
  return static_cast<std::byte>(value);
}

void write_data_fields(std::span<std::byte> out, const DataFields& fields) {
  Writer writer{out};
  writer.u32(fields.sequence);
  writer.u32(fields.flow_bucket << flow_sequence_bits | fields.flow_sequence);
}

std::optional<DataFields> read_data_fields(std::span<const std::byte> body) {
  Reader reader{body};
  DataFields fields{};
  fields.sequence = reader.u32();
  const std::uint32_t flow = reader.u32();
  if (!reader.ok()) return std::nullopt;
  fields.flow_bucket = flow >> flow_sequence_bits;
  fields.flow_sequence = flow & ((1u << flow_sequence_bits) - 1);
  return fields;
}

void write_repair_fields(std::span<std::byte> out, const RepairFields& fields) {
  Writer writer{out};
  writer.u8(fields.code);
  writer.u32(fields.base);
  writer.u8(fields.length);
  writer.u8(fields.row);
  writer.u8(fields.rows);
}

std::optional<RepairFields> read_repair_fields(std::span<const std::byte> body) {
  Reader reader{body};
  RepairFields fields{};
  fields.code = reader.u8();
  fields.base = reader.u32();
  fields.length = reader.u8();
  fields.row = reader.u8();
  fields.rows = reader.u8();
  if (!reader.ok() || fields.length == 0 || fields.length > fec_source_max) return std::nullopt;
  return fields;
}

// Ranges are written newest first as (length - 1) and then alternating (gap - 1, length - 1), 16
// bits each: a packet number space of 8,192 fits with room to spare.
std::size_t write_report(std::span<std::byte> out, const PathReport& report) {
  const std::size_t size = report_fields_size + 2u * (2u * report.range_count) - 2u;
  if (report.range_count == 0 || out.size() < size) return 0;
  Writer writer{out};
  writer.u8(report.path);
  writer.u32(static_cast<std::uint32_t>(report.largest.value));
  writer.u32(report.largest_arrival_us);
  writer.u32(report.received_bytes);
  writer.u16(report.ce_count);
  writer.u32(report.one_way_min_us);
  writer.u8(report.range_count);
  for (std::size_t i = 0; i < report.range_count; ++i) {
    const AckRange& range = report.ranges[i];
    if (i > 0) {
      writer.u16(static_cast<std::uint16_t>(report.ranges[i - 1].first - range.last - 2));
    }
    writer.u16(static_cast<std::uint16_t>(range.last - range.first));
  }
  return writer.size();
}

std::optional<PathReport> read_report(std::span<const std::byte>& body,
                                      std::span<const PathSeq, paths_max> expected) {
  Reader reader{body};
  PathReport report;
  report.path = reader.u8();
  if (report.path >= paths_max) return std::nullopt;
  report.largest = PathSeq::expand(reader.u32(), 32, expected[report.path]);
  report.largest_arrival_us = reader.u32();
  report.received_bytes = reader.u32();
  report.ce_count = reader.u16();
  report.one_way_min_us = reader.u32();
  report.range_count = reader.u8();
  if (!reader.ok() || report.range_count == 0 || report.range_count > report_ranges_max) {
    return std::nullopt;
  }
  PathSeq last = report.largest;
  for (std::size_t i = 0; i < report.range_count; ++i) {
    if (i > 0) {
      const std::uint64_t gap = std::uint64_t{reader.u16()} + 2;
      if (report.ranges[i - 1].first.value < gap) return std::nullopt;
      last = PathSeq{report.ranges[i - 1].first.value - gap};
    }
    const std::uint64_t length = reader.u16();
    if (!reader.ok() || length > last.value) return std::nullopt;
    report.ranges[i] = {PathSeq{last.value - length}, last};
  }
  body = body.subspan(body.size() - reader.left());
  return report;
}

std::optional<Frame> next_frame(std::span<std::byte>& rest) {
  if (rest.empty()) return std::nullopt;
  const auto kind_byte = static_cast<std::uint8_t>(rest[0]);
  Frame frame{};
  frame.kind = static_cast<FrameKind>(kind_byte & 0x0f);
  frame.class_id = static_cast<ClassId>(kind_byte >> 4 & 0x07);
  if ((kind_byte & 0x80) == 0) {
    frame.body = rest.subspan(kind_size);
    rest = {};
    return frame;
  }
  Reader reader{rest.subspan(kind_size)};
  const std::size_t length = reader.u16();
  if (!reader.ok() || reader.left() < length) return std::nullopt;
  frame.body = rest.subspan(kind_size + length_size, length);
  rest = rest.subspan(kind_size + length_size + length);
  return frame;
}

}  // namespace sennit::wire

// Every bound of the core, in one place. Nothing in the core grows without one of these.
#pragma once

#include <cstddef>

namespace sennit {

inline constexpr std::size_t batch_max = 64;       // packets per call on every batched interface
inline constexpr std::size_t paths_max = 16;       // paths per tunnel
inline constexpr std::size_t classes_max = 8;      // traffic classes; three bits on the wire
inline constexpr std::size_t flow_buckets = 1024;  // per class; ten bits on the wire
inline constexpr std::size_t headroom = 128;       // bytes free before a packet: frame headers
inline constexpr std::size_t tailroom = 32;        // bytes free after a packet: the AEAD tag
inline constexpr std::size_t packet_max = 2048;    // largest inner packet or outer datagram
inline constexpr std::size_t ingress_packets_max = 4096;  // inner packets that wait for a path
inline constexpr std::size_t path_queue_max = 4096;   // packets committed to one path, not yet sent
inline constexpr std::size_t control_queue_max = 32;  // reports, PINGs, … that wait for a path
inline constexpr std::size_t sent_max = 16384;        // datagrams in flight on one path
inline constexpr std::size_t retained_max = 16384;    // sent inner packets kept for reinjection
inline constexpr std::size_t resequence_max = 16384;  // inner packets that wait for predecessors
inline constexpr std::size_t replay_window = 8192;    // packet numbers per path, not per tunnel
inline constexpr std::size_t duplicate_window = 65536;  // data sequences remembered per class
inline constexpr std::size_t bundle_max = 4;            // inner packets that share a datagram
inline constexpr std::size_t report_ranges_max = 32;    // acknowledged ranges per path in a REPORT
inline constexpr std::size_t fec_source_max = 64;       // source symbols that one repair may cover
inline constexpr std::size_t fec_repair_max = 32;       // repair symbols of one block
inline constexpr std::size_t events_max = 256;
inline constexpr std::size_t trace_max = 16384;

static_assert(paths_max <= 32, "a PathMask is 32 bits");
static_assert((sent_max & (sent_max - 1)) == 0 && (replay_window & (replay_window - 1)) == 0);

}  // namespace sennit

// No memory is asked for per packet. Two tunnels back to back, without the stage's containers:
// datagrams move through a ring of fixed length that stands for two links, some are lost, and after
// a warm-up not one operator new is called.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/fec/counting_new.h"
#include "core/inner_packet_samples.h"
#include "core/tunnel.h"

namespace sennit {
namespace {

constexpr Duration tick = 100us;

/// What one end sent and the other has not seen yet, in the order of arrival.
class DelayLine {
 public:
  void push(Datagram datagram) {
    SENNIT_ASSERT(size_ < ring_.size());
    ring_[(begin_ + size_++) % ring_.size()] = std::move(datagram);
  }
  bool due(Instant now) const { return size_ > 0 && ring_[begin_].arrived <= now; }
  Datagram pop() {
    Datagram datagram = std::move(ring_[begin_]);
    begin_ = (begin_ + 1) % ring_.size();
    --size_;
    return datagram;
  }

 private:
  std::vector<Datagram> ring_ = std::vector<Datagram>(4096);
  std::size_t begin_ = 0, size_ = 0;
};

/// Both ends share a pool, so a datagram that was sent is the datagram that arrives.
class BackToBack {
 public:
  explicit BackToBack(const TunnelConfig& config)
      : ends_{End{config, Role::a, pool_}, End{config, Role::b, pool_}} {
    for (End& end : ends_) {
      for (const PathId id : {PathId{0}, PathId{1}}) end.tunnel.add_path(now_, id, {}, {});
    }
  }

  void run(Duration duration) {
    for (const Instant stop = now_ + duration; now_ < stop; now_ += tick) {
      for (const std::size_t i : {0u, 1u}) step(ends_[i], ends_[1 - i]);
    }
  }
  std::uint64_t delivered() const { return delivered_; }
  Metrics metrics(std::size_t end) const { return ends_[end].tunnel.metrics(now_); }

 private:
  struct End {
    End(const TunnelConfig& config, Role role, PacketPool& pool)
        : tunnel(config, role, SessionSecret{}, pool, 1, Instant{}) {}
    Tunnel tunnel;
    std::array<DelayLine, 2> arriving;  // per path
  };

  void step(End& end, End& peer) {
    for (std::size_t path : {0u, 1u}) receive(end, path);
    if (end.tunnel.next_wake().at <= now_) end.tunnel.handle_timeout(now_);
    send_inner(end);
    while (end.tunnel.poll_transmit(now_, out_)) carry(peer);
    std::array<Packet, batch_max> inner;
    while (const std::size_t n = end.tunnel.poll_deliver(now_, inner)) {
      delivered_ += n;
      for (Packet& packet : inner) Packet gone = std::move(packet);
    }
    while (end.tunnel.poll_event()) {
    }
    std::array<TraceRecord, 64> records;
    while (end.tunnel.poll_trace(records) > 0) {
    }
  }
  void receive(End& end, std::size_t path) {
    std::array<Datagram, batch_max> batch;
    std::size_t n = 0;
    while (n < batch.size() && end.arriving[path].due(now_)) batch[n++] = end.arriving[path].pop();
    end.tunnel.handle_datagrams(now_, {batch.data(), n});
  }
  /// Some 25 Mbit/s each way, of each class.
  void send_inner(End& end) {
    std::array<Packet, 3> packets;
    constexpr std::array<std::uint8_t, 3> dscp{46, 34, 0};
    std::size_t n = 0;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (ticks_++ % 13 != 0) continue;
      packets[n] = pool_.allocate();
      std::ranges::copy(sample_[i], packets[n].append(sample_[i].size()).begin());
      packets[n++].bytes()[1] = static_cast<std::byte>(dscp[i] << 2);
    }
    end.tunnel.handle_inner(now_, {packets.data(), n});
  }
  /// 20 or 30 ms later it is there; one of 50 never is.
  void carry(End& peer) {
    for (Packet& packet : out_.datagrams.all()) {
      if (++sent_ % 50 == 0) continue;
      Datagram datagram;
      datagram.path = out_.path;
      datagram.arrived = now_ + 20ms + 10ms * static_cast<int>(index(out_.path));
      datagram.packet = std::move(packet);
      peer.arriving[index(out_.path)].push(std::move(datagram));
    }
    out_.datagrams.clear();
  }

  PacketPool pool_{2 * tunnel_pool_slots};
  std::array<End, 2> ends_;
  std::array<std::vector<std::byte>, 3> sample_{samples::ipv4({.size = 1300}),
                                                samples::ipv4({.source_port = 7, .size = 200}),
                                                samples::ipv4({.source_port = 8, .size = 1200})};
  Transmit out_;
  Instant now_{};
  std::uint64_t ticks_ = 0, sent_ = 0, delivered_ = 0;
};

void expect_no_allocation(const TunnelConfig& config) {
  BackToBack stage(config);
  stage.run(2s);
  const std::uint64_t delivered = stage.delivered();
  const std::size_t before = allocations_so_far();
  stage.run(1s);
  EXPECT_EQ(allocations_so_far(), before);
  EXPECT_GT(stage.delivered() - delivered, 3000u);
}

TEST(Allocation, nothing_is_allocated_per_packet) {
  const std::size_t before = allocations_so_far();
  expect_no_allocation({});
  EXPECT_GT(allocations_so_far(), before);  // or nobody counts
}

TEST(Allocation, nothing_is_allocated_per_packet_with_codes_and_duplicates) {
  TunnelConfig config;
  config.classes[0].duplicate = true;
  config.classes[0].fec.code = FecCode::reed_solomon;
  config.classes[1].fec.code = FecCode::parity;
  config.classes[2].fec.code = FecCode::sliding_rlc;
  expect_no_allocation(config);
}

TEST(Allocation, nothing_is_allocated_per_packet_by_any_scheduler) {
  for (const std::string_view name : scheduler_names()) {
    SCOPED_TRACE(name);
    TunnelConfig config;
    config.scheduler.algorithm = name;
    expect_no_allocation(config);
  }
}

}  // namespace
}  // namespace sennit

#include "real/daemon/udp_socket.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <chrono>
#include <thread>

#include "real/config/endpoint.h"
#include "real/daemon/clock.h"

namespace sennit {
namespace {

constexpr std::uint16_t port_x = 47811, port_y = 47812;

/// Two sockets on the loopback device.
class UdpSockets : public testing::TestWithParam<sa_family_t> {
 protected:
  static std::string endpoint(std::uint16_t port) {
    const std::string host = GetParam() == AF_INET6 ? "[::1]" : "127.0.0.1";
    return host + ":" + std::to_string(port);
  }
  /// `sizes` in bytes; each packet is filled with its number.
  void send(const std::vector<std::size_t>& sizes, Ecn ecn = Ecn::not_ect) {
    Transmit transmit;
    transmit.destination = *parse_endpoint(endpoint(port_y));
    transmit.segment_size = static_cast<std::uint16_t>(sizes.front());
    transmit.ecn = ecn;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      Packet packet = pool_.allocate();
      packet.resize(sizes[i]);
      std::ranges::fill(packet.bytes(), static_cast<std::byte>(i));
      transmit.datagrams.push(std::move(packet));
    }
    x_.push(transmit);
    ASSERT_TRUE(x_.flush());
  }
  std::vector<Datagram> receive(std::size_t count) {
    std::vector<Datagram> all;
    for (int i = 0; i < 1000 && all.size() < count; ++i) {
      std::array<Datagram, batch_max> batch;
      const std::size_t n = y_.receive(monotonic_now(), pool_, batch);
      for (std::size_t j = 0; j < n; ++j) all.push_back(std::move(batch[j]));
      if (n == 0) std::this_thread::sleep_for(1ms);
    }
    return all;
  }

  PacketPool pool_{1024};
  UdpSocket x_{GetParam(), "lo", port_x, 0};
  UdpSocket y_{GetParam(), "lo", port_y, 0};
};

TEST_P(UdpSockets, a_full_batch_arrives_in_order_with_its_bytes_and_source) {
  std::vector<std::size_t> sizes(batch_max, 1472);
  sizes.back() = 100;
  send(sizes);
  const auto got = receive(batch_max);
  ASSERT_EQ(got.size(), batch_max);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto bytes = got[i].packet.bytes();
    EXPECT_EQ(bytes.size(), sizes[i]);
    EXPECT_EQ(bytes.front(), static_cast<std::byte>(i));
    EXPECT_EQ(bytes.back(), static_cast<std::byte>(i));
    EXPECT_EQ(show(got[i].source), endpoint(port_x));
  }
}

TEST_P(UdpSockets, batches_of_different_sizes_leave_in_one_flush) {
  for (const std::size_t size : {40u, 1300u, 700u}) {
    send({size, size, 30});
    const auto got = receive(3);
    ASSERT_EQ(got.size(), 3u);
    EXPECT_EQ(got[1].packet.size(), size);
    EXPECT_EQ(got[2].packet.size(), 30u);
  }
}

TEST_P(UdpSockets, the_ecn_field_goes_out_and_comes_in) {
  for (const Ecn ecn : {Ecn::not_ect, Ecn::ect1, Ecn::ect0, Ecn::ce}) {
    send({900, 900}, ecn);
    const auto got = receive(2);
    ASSERT_EQ(got.size(), 2u);
    EXPECT_EQ(got[0].ecn, ecn);
    EXPECT_EQ(got[1].ecn, ecn);
  }
}

TEST_P(UdpSockets, arrival_is_when_the_kernel_saw_it) {
  const Instant before = monotonic_now();
  send({500});
  const Instant sent = monotonic_now();
  std::this_thread::sleep_for(30ms);
  const auto got = receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_GE(got[0].arrived, before - 1ms);
  EXPECT_LE(got[0].arrived, sent + 1ms);
}

TEST_P(UdpSockets, a_datagram_without_a_slot_is_counted_and_the_next_one_arrives) {
  std::vector<Packet> all;
  send({100});
  while (Packet packet = pool_.allocate()) all.push_back(std::move(packet));
  std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(receive(1).empty());
  EXPECT_EQ(y_.counters().refused, 1u);
  all.clear();
  send({100});
  EXPECT_EQ(receive(1).size(), 1u);
}

TEST_P(UdpSockets, what_the_kernel_refuses_is_dropped_and_does_not_stop_the_rest) {
  Transmit transmit;
  transmit.destination =
      *parse_endpoint(GetParam() == AF_INET6 ? "[2001:db8::1]:9" : "240.0.0.1:9");
  transmit.segment_size = 100;
  Packet packet = pool_.allocate();
  packet.resize(100);
  transmit.datagrams.push(std::move(packet));
  x_.push(transmit);
  send({100});
  EXPECT_EQ(receive(1).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(, UdpSockets, testing::Values(AF_INET, AF_INET6), [](const auto& family) {
  return family.param == AF_INET6 ? "ipv6" : "ipv4";
});

}  // namespace
}  // namespace sennit

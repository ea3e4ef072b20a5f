#include "sim/model/tcp_linux_socket.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "sim/model/testing/tcp_path.h"

namespace sennit {
namespace {

LinkConfig link_of(double mbps, Duration delay, std::size_t queue) {
  LinkConfig config;
  config.capacity = BitRate::from_mbps(mbps);
  config.delay = delay;
  config.queue = QueuePackets{queue};
  return config;
}

TEST(TcpLinuxSocket, a_recovery_longer_than_the_timeout_is_not_ended_by_it) {
  TcpPath slow_start(link_of(5, 100ms, 100), "cubic");
  slow_start.write_forever();
  slow_start.run(10s);
  EXPECT_GE(slow_start.recoveries, 1);
  EXPECT_EQ(slow_start.timeouts, 0);
}

TEST(TcpLinuxSocket, an_accepted_socket_is_like_one_that_connects) {
  for (const Writer writer : {Writer::connecting, Writer::accepted}) {
    TcpPath path(link_of(10, 20ms, 1000), "bbr", writer);
    path.write_forever();
    path.run(2s);
    path.queueing.clear();
    EXPECT_GT(path.mbps_during(4s), 9.3);
    std::ranges::sort(path.queueing);
    EXPECT_LT(path.queueing[path.queueing.size() / 2], 10ms);
    EXPECT_EQ(path.bbr().mode(), TcpLinuxBbr::Mode::probe_bw);
    EXPECT_NEAR(static_cast<double>(path.bbr().bandwidth_bps()), 9.65e6, 0.3e6);
    EXPECT_NEAR(path.bbr().least_round_trip().GetSeconds(), 0.0413, 0.001);
  }
}

TEST(TcpLinuxSocket, a_delay_that_grows_by_200_ms_is_no_timeout) {
  TcpPath path(link_of(10, 20ms, 1000));
  path.write_forever();
  path.run(3s);
  path.set_delay(235ms);  // the timeout is 200 ms beyond the round trip of 40 ms
  path.run(3s);
  EXPECT_EQ(path.timeouts, 0);
}

TEST(TcpLinuxSocket, connections_of_one_listener_have_models_of_their_own) {
  TcpPath first(link_of(10, 20ms, 1000), "bbr", Writer::accepted);
  first.write_forever();
  first.run(2s);
  EXPECT_EQ(first.listening_bbr().bandwidth_bps(), 0u);
  EXPECT_GT(first.bbr().bandwidth_bps(), 0u);
}

TEST(TcpLinuxSocket, a_black_hole_of_a_second_ends_in_a_timeout_and_is_survived) {
  TcpPath path(link_of(10, 20ms, 1000));
  path.write_forever();
  path.run(3s);
  path.set_state(LinkState::blackhole);
  path.run(1s);
  path.set_state(LinkState::up);
  path.run(2s);
  EXPECT_GE(path.timeouts, 1);
  EXPECT_GT(path.mbps_during(4s), 9.3);
}

}  // namespace
}  // namespace sennit

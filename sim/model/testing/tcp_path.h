// A TCP connection over one emulated link, of which a test sees the window, the states and the
// model of BBR.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ns3/inet-socket-address.h"
#include "ns3/packet.h"
#include "ns3/pointer.h"
#include "ns3/tcp-socket-state.h"
#include "sim/helper/tcp_settings.h"
#include "sim/helper/topology.h"
#include "sim/model/tcp_linux_bbr.h"
#include "sim/traffic/tcp_writer.h"

namespace sennit {

enum class Writer : std::uint8_t { connecting, accepted };

/// The writing side is at `a`, where the link has the queue and the losses of `config`;
/// acknowledgements come `back` over one like it, unless said, without either. One at a time.
class TcpPath {
 public:
  explicit TcpPath(const LinkConfig& config, const std::string& control = "bbr",
                   Writer writer = Writer::connecting, const std::optional<LinkConfig>& back = {})
      : config_(config) {
    Link link;
    link.name = "l";
    link.up = config;
    link.down = back.value_or(config);
    link.down.queue = QueuePackets{};
    link.down.loss = NoLoss{};
    scenario_.links.push_back(link);
    Variant variant;
    variant.links.push_back(link.name);
    topology_ = build_topology(scenario_, variant, 1);
    end().on_exit([this](Instant, const Exit& exit, Bytes) { queueing.push_back(exit.queueing); });
    apply_tcp_settings(1500, Bytes{16 << 20});
    const bool a_connects = writer == Writer::connecting;
    listen(a_connects ? topology_.b : topology_.a, control, !a_connects);
    connect(a_connects ? topology_.a : topology_.b, control, a_connects);
  }
  ~TcpPath() {
    writer_.reset();
    writing_ = listener_ = connecting_ = nullptr;
    topology_ = {};
    ns3::Simulator::Destroy();
  }
  TcpPath(const TcpPath&) = delete;
  TcpPath& operator=(const TcpPath&) = delete;

  void run(Duration time) {
    ns3::Simulator::Stop(to_ns3(time));
    ns3::Simulator::Run();
  }
  /// Looks every 10 ms.
  void run(Duration time, const std::function<void()>& look) {
    for (; time > Duration{}; time -= 10ms) {
      run(10ms);
      look();
    }
  }
  /// Of what the application received meanwhile.
  double mbps_during(Duration time) {
    const std::uint64_t before = received_;
    run(time);
    return static_cast<double>(received_ - before) * 8e-6 /
           std::chrono::duration<double>(time).count();
  }
  /// From now on, in the direction of the data.
  void set_state(LinkState state) {
    config_.state = state;
    end().configure(simulated_now(), config_);
  }
  void set_delay(Duration delay) {
    config_.delay = delay;
    end().configure(simulated_now(), config_);
  }
  /// As fast as TCP takes it, from the moment of the connection if called before.
  void write_forever() { write({std::int64_t{1} << 50}); }
  void write(Bytes more) {
    if (writer_) return writer_->write(more);
    first_write_ = more;
  }
  TcpLinuxBbr& bbr() const { return bbr_of(*writing_); }
  TcpLinuxBbr& listening_bbr() const { return bbr_of(*listener_); }

  std::vector<Duration> queueing;  // of every packet of data at the entrance of the link
  std::uint32_t window = 0, largest_window = 0, smallest_window = ~0u;
  int recoveries = 0, timeouts = 0;

 private:
  static TcpLinuxBbr& bbr_of(const ns3::Socket& socket) {
    ns3::PointerValue control;
    socket.GetAttribute("CongestionOps", control);
    return *control.Get<TcpLinuxBbr>();
  }
  EmulatedLinkDevice& end() { return *topology_.links[0].a; }
  void listen(ns3::Ptr<ns3::Node> node, const std::string& control, bool writes) {
    listener_ = make_tcp_socket(node, control);
    listener_->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), 7));
    listener_->Listen();
    listener_->SetAcceptCallback(
        ns3::MakeNullCallback<bool, ns3::Ptr<ns3::Socket>, const ns3::Address&>(),
        ns3::Callback<void, ns3::Ptr<ns3::Socket>, const ns3::Address&>(
            [this, writes](ns3::Ptr<ns3::Socket> socket, const ns3::Address&) {
              established(socket, writes);
            }));
  }
  void connect(ns3::Ptr<ns3::Node> node, const std::string& control, bool writes) {
    connecting_ = make_tcp_socket(node, control);
    connecting_->SetConnectCallback(
        ns3::Callback<void, ns3::Ptr<ns3::Socket>>(
            [this, writes](ns3::Ptr<ns3::Socket> socket) { established(socket, writes); }),
        ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>());
    const LinkEnds& ends = topology_.links[0];
    connecting_->Connect(
        ns3::InetSocketAddress(node == topology_.a ? ends.address_b : ends.address_a, 7));
  }
  void established(ns3::Ptr<ns3::Socket> socket, bool writes) {
    if (!writes) {
      socket->SetRecvCallback(
          ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this](ns3::Ptr<ns3::Socket> s) {
            while (const auto packet = s->Recv()) received_ += packet->GetSize();
          }));
      return;
    }
    writing_ = socket;
    using Window = ns3::Callback<void, std::uint32_t, std::uint32_t>;
    socket->TraceConnectWithoutContext("CongestionWindow",
                                       Window([this](std::uint32_t, std::uint32_t now) {
                                         window = now;
                                         largest_window = std::max(largest_window, now);
                                         smallest_window = std::min(smallest_window, now);
                                       }));
    using State = ns3::TcpSocketState::TcpCongState_t;
    socket->TraceConnectWithoutContext("CongState",
                                       ns3::Callback<void, State, State>([this](State, State now) {
                                         recoveries += now == ns3::TcpSocketState::CA_RECOVERY;
                                         timeouts += now == ns3::TcpSocketState::CA_LOSS;
                                       }));
    writer_ = std::make_unique<TcpWriter>(socket);
    if (first_write_) writer_->write(*first_write_);
  }

  LinkConfig config_;
  Scenario scenario_;
  Topology topology_;
  ns3::Ptr<ns3::Socket> listener_, connecting_, writing_;
  std::unique_ptr<TcpWriter> writer_;
  std::optional<Bytes> first_write_;
  std::uint64_t received_ = 0;
};

}  // namespace sennit

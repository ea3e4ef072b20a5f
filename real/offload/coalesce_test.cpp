#include "real/offload/coalesce.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/rng.h"
#include "real/offload/split.h"
#include "real/offload/testing_frames.h"

namespace sennit::offload {
namespace {

using namespace testing;

constexpr Merges everything{true, true, true};

/// A batch through a coalescer, with what it wrote taken apart again by the splitter.
struct Passed {
  std::vector<Octets> packets;      // as the receiver of the super-packets sees them
  std::vector<std::size_t> frames;  // how many packets each frame held

  explicit Passed(const std::vector<Octets>& in, Layer layer = Layer::ip,
                  Merges merges = everything) {
    PacketPool pool(2 * batch_max);
    std::vector<Packet> batch;
    for (const Octets& bytes : in) batch.push_back(packet_of(pool, bytes));
    Coalescer coalescer(layer, merges);
    coalescer.run(batch);
    for (std::size_t i = 0; i < coalescer.frames(); ++i) {
      frames.push_back(coalescer.packets_in(i));
      take_apart(pool, layer, coalescer.frame(i));
    }
  }

 private:
  void take_apart(PacketPool& pool, Layer layer, std::span<const iovec> vectors) {
    VirtioHeader virtio;
    SENNIT_ASSERT(vectors[0].iov_len == sizeof virtio);
    std::memcpy(&virtio, vectors[0].iov_base, sizeof virtio);
    Octets frame;
    for (const iovec& v : vectors.subspan(1)) {
      const auto* bytes = static_cast<const std::byte*>(v.iov_base);
      frame.insert(frame.end(), bytes, bytes + v.iov_len);
    }
    Splitter splitter(layer);
    ASSERT_TRUE(splitter.begin(virtio, frame));
    while (splitter.more()) packets.push_back(octets(splitter.next(pool)));
  }
};

/// `n` packets as a sender without offload would send them.
std::vector<Shape> stream(Shape s, std::size_t n) {
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < n; ++i) {
    shapes.push_back(s);
    s.sequence += static_cast<std::uint32_t>(s.payload);
    ++s.id;
    ++s.fill;
  }
  return shapes;
}

std::vector<Octets> bytes_of(const std::vector<Shape>& shapes) {
  std::vector<Octets> all;
  for (const Shape& s : shapes) all.push_back(frame_of(s));
  return all;
}

using Counts = std::vector<std::size_t>;

void expect_merged(const std::vector<Shape>& shapes, const Counts& frames) {
  const auto in = bytes_of(shapes);
  const Passed passed(in, shapes[0].ethernet > 0 ? Layer::ethernet : Layer::ip);
  EXPECT_EQ(passed.frames, frames);
  EXPECT_EQ(passed.packets, in);
}

TEST(Coalesce, a_stream_becomes_one_frame_and_comes_back_byte_for_byte) {
  for (const bool ipv6 : {false, true}) {
    for (const bool tcp : {false, true}) {
      for (const std::size_t ethernet : {0u, 14u}) {
        Shape s;
        s.ipv6 = ipv6;
        s.tcp = tcp;
        s.ethernet = ethernet;
        expect_merged(stream(s, 40), {40});
      }
    }
  }
}

TEST(Coalesce, a_shorter_packet_ends_a_frame) {
  auto shapes = stream(Shape{}, 6);
  shapes[2].payload = 999;
  expect_merged(shapes, {3, 3});
}

TEST(Coalesce, a_longer_packet_begins_a_frame) {
  auto shapes = stream(Shape{}, 5);
  shapes[2].payload = 1001;
  shapes[3].sequence += 1;
  shapes[4].sequence += 1;
  expect_merged(shapes, {2, 2, 1});
}

TEST(Coalesce, push_or_fin_ends_a_frame) {
  for (const std::uint8_t flag : {TcpFlag::psh, TcpFlag::fin}) {
    auto shapes = stream(Shape{}, 5);
    shapes[1].extra_flags = flag;
    shapes[2].extra_flags = flag;
    expect_merged(shapes, {2, 1, 2});
  }
}

TEST(Coalesce, cwr_begins_a_frame) {
  auto shapes = stream(Shape{}, 4);
  shapes[2].extra_flags = TcpFlag::cwr;
  expect_merged(shapes, {2, 2});
}

TEST(Coalesce, whatever_else_differs_separates) {
  const auto separates = [](auto change, bool tcp = true, bool ipv6 = false) {
    Shape s;
    s.tcp = tcp;
    s.ipv6 = ipv6;
    auto shapes = stream(s, 4);
    for (std::size_t i = 2; i < 4; ++i) change(shapes[i]);
    expect_merged(shapes, {2, 2});
  };
  separates([](Shape& s) { s.sequence += 1; });
  separates([](Shape& s) { s.acknowledgement += 1; });
  separates([](Shape& s) { s.window += 1; });
  separates([](Shape& s) { s.options += 4; });
  separates([](Shape& s) { s.extra_flags = TcpFlag::ece; });
  separates([](Shape& s) { s.source_port += 1; });
  separates([](Shape& s) { s.source += 1; });
  for (const bool tcp : {false, true}) {
    separates([](Shape& s) { s.id += 1; }, tcp);
    separates([](Shape& s) { s.fragment = 0; }, tcp);
    separates([](Shape& s) { s.ttl += 1; }, tcp);
    separates([](Shape& s) { s.traffic_class += 3; }, tcp);
    separates([](Shape& s) { s.ttl += 1; }, tcp, true);
    separates([](Shape& s) { s.traffic_class += 3; }, tcp, true);
    separates([](Shape& s) { s.destination_port += 1; }, tcp, true);
  }
}

TEST(Coalesce, syn_rst_urg_and_bare_acknowledgements_go_alone) {
  for (const std::uint8_t flag : {TcpFlag::syn, TcpFlag::rst, TcpFlag::urg}) {
    auto shapes = stream(Shape{}, 4);
    for (Shape& s : shapes) s.extra_flags = flag;
    expect_merged(shapes, {1, 1, 1, 1});
  }
  Shape bare;
  bare.payload = 0;
  expect_merged(stream(bare, 3), {1, 1, 1});
}

TEST(Coalesce, a_wrong_checksum_stays_wrong_and_alone) {
  for (const bool tcp : {false, true}) {
    for (const std::size_t damaged : {0u, 1u, 3u}) {
      Shape s;
      s.tcp = tcp;
      auto in = bytes_of(stream(s, 4));
      in[damaged].back() ^= std::byte{1};
      const Passed passed(in);
      EXPECT_EQ(passed.packets, in);
      EXPECT_EQ(passed.frames, damaged == 0   ? (Counts{1, 3})
                               : damaged == 1 ? (Counts{1, 1, 2})
                                              : (Counts{3, 1}));
    }
  }
}

TEST(Coalesce, a_wrong_ip_header_checksum_stays_wrong) {
  auto in = bytes_of(stream(Shape{}, 3));
  in[1][10] ^= std::byte{1};
  const Passed passed(in);
  EXPECT_EQ(passed.packets, in);
}

TEST(Coalesce, udp_without_a_checksum_goes_alone) {
  Shape s;
  s.tcp = false;
  auto in = bytes_of(stream(s, 2));
  for (Octets& packet : in) put16(packet, 26, 0);
  const Passed passed(in);
  EXPECT_EQ(passed.packets, in);
  EXPECT_EQ(passed.frames, (Counts{1, 1}));
}

TEST(Coalesce, flows_that_alternate_are_merged_apart) {
  Shape s;
  const auto a = stream(s, 3);
  s.source_port = 6000;
  const auto b = stream(s, 3);
  const Passed passed(bytes_of({a[0], b[0], a[1], b[1], a[2], b[2]}));
  EXPECT_EQ(passed.frames, (Counts{3, 3}));
  EXPECT_EQ(passed.packets, bytes_of({a[0], a[1], a[2], b[0], b[1], b[2]}));
}

TEST(Coalesce, nothing_overtakes_a_fragment_that_may_be_of_its_flow) {
  Shape s;
  s.tcp = false;
  auto shapes = stream(s, 4);
  shapes[1].fragment = 0x2000;
  shapes[1].id += 100;
  shapes[2].id -= 1;
  shapes[3].id -= 1;
  expect_merged(shapes, {1, 1, 2});
}

TEST(Coalesce, what_the_device_does_not_take_is_not_made) {
  const auto in = bytes_of(stream(Shape{}, 4));
  EXPECT_EQ(Passed(in, Layer::ip, Merges{}).frames, (Counts{1, 1, 1, 1}));
  EXPECT_EQ(Passed(in, Layer::ip, Merges{false, true, true}).frames, (Counts{1, 1, 1, 1}));
  EXPECT_EQ(Passed(in, Layer::ip, Merges{true, false, false}).frames, (Counts{4}));
}

TEST(Coalesce, a_frame_ends_before_its_length_overflows) {
  Shape s;
  s.payload = 1990;
  expect_merged(stream(s, 40), {32, 8});  // 52 + 32 * 1,990 = 63,732
}

// --- any batch -----------------------------------------------------------------------------------

/// Flows of senders that mostly go on and sometimes do anything else.
class AnyTraffic {
 public:
  explicit AnyTraffic(std::uint64_t seed) : rng_(seed) {
    const std::size_t flows = 1 + rng_.below(4);
    const std::size_t ethernet = std::array<std::size_t, 3>{0, 0, 14}[rng_.below(3)];
    layer_ = ethernet > 0 ? Layer::ethernet : Layer::ip;
    for (std::size_t i = 0; i < flows; ++i) {
      Shape s;
      s.source = static_cast<std::uint32_t>(0x0b000000 + i);
      s.ethernet = ethernet;
      s.ipv6 = rng_.below(3) == 0;
      s.tcp = rng_.below(3) != 0;
      s.payload = 1 + rng_.below(1400);
      s.sequence = static_cast<std::uint32_t>(0u - rng_.below(20000));
      s.id = static_cast<std::uint16_t>(0u - rng_.below(30));
      s.fill = static_cast<std::uint8_t>(rng_.below(256));
      flows_.push_back(s);
    }
  }

  Octets next() {
    Shape& flow = flows_[rng_.below(flows_.size())];
    if (rng_.below(12) == 0) disturb(flow);
    Shape now = flow;
    if (rng_.below(12) == 0) disturb(now);
    flow.sequence += static_cast<std::uint32_t>(now.payload);
    ++flow.id;
    flow.fill = static_cast<std::uint8_t>(flow.fill + 31);
    Octets frame = frame_of(now);
    if (rng_.below(20) == 0) damage(frame, now);
    if (rng_.below(50) == 0) frame.resize(rng_.below(frame.size()));
    if (rng_.below(50) == 0) frame.resize(frame.size() + 1 + rng_.below(20));
    return frame;
  }
  Rng& rng() { return rng_; }
  Layer layer() const { return layer_; }

 private:
  /// Anywhere but in protocol, addresses and ports, which say what flow it is.
  void damage(Octets& frame, const Shape& s) {
    const std::size_t behind_ports = transport_offset(s) + 4;
    const std::size_t at = rng_.below(2) == 0
                               ? rng_.below(s.ethernet + 6)
                               : behind_ports + rng_.below(frame.size() - behind_ports);
    frame[at] ^= static_cast<std::byte>(1 << rng_.below(8));
  }
  void disturb(Shape& s) {
    switch (rng_.below(10)) {
      case 0:
        s.extra_flags = static_cast<std::uint8_t>(rng_.below(256));
        break;
      case 1:
        s.payload = rng_.below(1400);
        break;
      case 2:
        s.sequence += static_cast<std::uint32_t>(rng_.below(3));
        break;
      case 3:
        s.id = static_cast<std::uint16_t>(s.id + rng_.below(3));
        break;
      case 4:
        s.traffic_class = static_cast<std::uint8_t>(rng_.below(4));
        break;
      case 5:
        s.options = 4 * rng_.below(11);
        break;
      case 6:
        s.acknowledgement += 1;
        break;
      case 7:
        s.extra_flags = TcpFlag::psh;
        break;
      case 8:
        s.extra_flags = 0;
        break;
      case 9:
        s.fragment = static_cast<std::uint16_t>(rng_.below(4) << 13);
        break;
    }
  }

  Rng rng_;
  Layer layer_ = Layer::ip;
  std::vector<Shape> flows_;
};

/// By source address; what is too short for one is a flow of its own.
std::map<std::string, std::vector<Octets>> by_flow(const std::vector<Octets>& packets,
                                                   Layer layer) {
  std::map<std::string, std::vector<Octets>> flows;
  for (const Octets& packet : packets) {
    const std::size_t ip = layer == Layer::ethernet ? 14 : 0;
    const bool ipv6 = packet.size() > ip && get8(packet, ip) >> 4 == 6;
    const std::size_t at = ip + (ipv6 ? 8 : 12), size = ipv6 ? 16 : 4;
    std::string key;
    if (packet.size() >= at + size) key.assign(reinterpret_cast<const char*>(&packet[at]), size);
    flows[key].push_back(packet);
  }
  return flows;
}

TEST(Coalesce, any_batch_comes_back_byte_for_byte_and_each_flow_in_order) {
  std::size_t merged = 0, alone = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    AnyTraffic traffic(seed);
    std::vector<Octets> in(1 + traffic.rng().below(batch_max));
    for (Octets& packet : in) packet = traffic.next();
    std::erase_if(in, [](const Octets& packet) { return packet.empty(); });
    const Passed passed(in, traffic.layer());
    for (const std::size_t n : passed.frames) (n > 1 ? merged : alone) += n;
    ASSERT_EQ(by_flow(passed.packets, traffic.layer()), by_flow(in, traffic.layer()))
        << "seed " << seed;
  }
  EXPECT_GT(merged, 20000u);
  EXPECT_GT(alone, 20000u);
}

}  // namespace
}  // namespace sennit::offload

// What the network may do to a datagram, by accident or on purpose: none of it gets in, none of it
// goes uncounted, and the traffic that it stands beside does not notice. And what a peer that holds
// the keys may send: nothing of it may crash us.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/session.h"
#include "core/testing/pair.h"

namespace sennit {
namespace {

using Bytestring = std::vector<std::byte>;
using Attack = std::function<void(Pair&, Bytestring& datagram)>;

/// A clean run with an attack on every 7th datagram from a to b, on either link.
struct Attacked {
  explicit Attacked(const Attack& attack) : pair({symmetric(20, 10ms), symmetric(20, 15ms)}) {
    pair.tamper = [this, attack, n = 0](std::size_t link, Pair::End from,
                                        Bytestring& bytes) mutable {
      if (from != Pair::a || n++ % 7 != 6) return;
      at_link = link;
      attack(pair, bytes);
      ++attacks;
    };
    pair.send_stream(Pair::a, 1, BitRate::from_mbps(8), 4s);
    pair.run(5s);
  }
  /// Nothing was lost, touched, repeated or put out of order.
  void expect_harmless() {
    EXPECT_GT(attacks, 100u);
    EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
    EXPECT_TRUE(all_intact(pair.delivered(Pair::b)));
    EXPECT_EQ(repeated(pair.delivered(Pair::b), 1), 0u);
    EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1, Instant{1s}), 0u);
  }
  std::uint64_t dropped(Drop reason) { return pair.drops(Pair::b, reason); }

  Pair pair;
  std::size_t at_link = 0;
  std::uint64_t attacks = 0;
};

TEST(Hostile, replayed_datagrams_are_counted_and_harm_nothing) {
  std::size_t link = 0;
  Attacked run([&](Pair& pair, Bytestring& bytes) {
    for (const Duration later : {0ms, 30ms, 900ms}) {
      pair.at(pair.now() + later,
              [&pair, &link, copy = bytes] { pair.inject(link, Pair::b, copy); });
    }
  });
  run.expect_harmless();
  // The copy that is injected at once overtakes its original, which is then the replay.
  EXPECT_GT(run.dropped(Drop::replayed), run.attacks);
}

TEST(Hostile, a_datagram_that_comes_in_on_the_wrong_path_changes_nothing_for_that_path) {
  Attacked run([&](Pair& pair, Bytestring& bytes) { pair.inject(1, Pair::b, bytes); });
  run.expect_harmless();
}

TEST(Hostile, truncated_datagrams_are_counted_and_harm_nothing) {
  Attacked run([n = std::size_t{0}](Pair&, Bytestring& bytes) mutable {
    bytes.resize(bytes.size() * (n++ % 10) / 10);
  });
  run.expect_harmless();
  EXPECT_GT(run.dropped(Drop::malformed), 0u);
  EXPECT_GT(run.dropped(Drop::not_authentic), 0u);
}

TEST(Hostile, bit_flips_anywhere_are_counted_and_harm_nothing) {
  Attacked run([rng = Rng{11}](Pair&, Bytestring& bytes) mutable {
    bytes[rng.below(bytes.size())] ^= static_cast<std::byte>(1u << rng.below(8));
  });
  run.expect_harmless();
  EXPECT_GT(run.dropped(Drop::not_authentic), 0u);
}

TEST(Hostile, flips_in_each_byte_of_the_header_are_counted_and_harm_nothing) {
  std::uint64_t counted = 0;
  Attacked run([n = std::size_t{0}](Pair&, Bytestring& bytes) mutable {
    bytes[n++ % 10] ^= std::byte{0xff};
  });
  run.expect_harmless();
  for (const Drop reason :
       {Drop::malformed, Drop::unknown_session, Drop::not_authentic, Drop::replayed}) {
    counted += run.dropped(reason);
  }
  EXPECT_GE(counted, run.attacks);
}

TEST(Hostile, reflected_datagrams_are_counted_and_harm_nothing) {
  Attacked run([](Pair& pair, Bytestring& bytes) { pair.inject(0, Pair::a, bytes); });
  run.expect_harmless();
  EXPECT_EQ(run.pair.drops(Pair::a, Drop::unknown_session), run.attacks);
}

TEST(Hostile, datagrams_for_another_receiver_are_counted_and_harm_nothing) {
  Attacked run([](Pair& pair, Bytestring& bytes) {
    Bytestring other = bytes;
    other[2] ^= std::byte{1};
    pair.inject(0, Pair::b, other);
  });
  run.expect_harmless();
  EXPECT_EQ(run.dropped(Drop::unknown_session), run.attacks);
}

TEST(Hostile, random_datagrams_are_counted_and_harm_nothing) {
  Attacked run([rng = Rng{12}](Pair& pair, Bytestring& bytes) mutable {
    Bytestring noise(rng.below(1473));
    for (std::byte& byte : noise) byte = static_cast<std::byte>(rng.next());
    // Every other one with a header that looks right, so that it comes as far as it can.
    if (noise.size() > 10 && rng.chance(0.5)) std::copy_n(bytes.begin(), 6, noise.begin());
    pair.inject(0, Pair::b, noise);
  });
  run.expect_harmless();
  EXPECT_GT(run.dropped(Drop::malformed) + run.dropped(Drop::not_authentic), 0u);
}

/// Sends to end b what only the holder of end a's keys can.
class RoguePeer {
 public:
  explicit RoguePeer(Pair& pair) : pair_(pair) {}
  /// A datagram of `frames` on path 0, with a packet number ahead of the honest ones.
  void send(const Bytestring& frames) {
    Packet packet = pool_.allocate();
    wire::Writer{packet.append(wire::timestamp_size)}.u32(
        static_cast<std::uint32_t>(pair_.now().time_since_epoch() / 1us));
    std::ranges::copy(frames, packet.append(frames.size()).begin());
    session_.seal_in_place(PathId{0}, PathSeq{number_ += 3}, packet);
    pair_.inject(0, Pair::b, {packet.bytes().begin(), packet.bytes().end()});
  }
  Bytestring data_frame(std::uint32_t sequence, std::uint32_t flow_sequence) const {
    Bytestring frame(wire::kind_size + wire::data_fields_size + 100, std::byte{0x45});
    frame[0] = wire::frame_kind(wire::FrameKind::data, ClassId{2}, false);
    wire::write_data_fields(std::span{frame}.subspan(1), {sequence, 5, flow_sequence});
    return frame;
  }

 private:
  static SessionSecret secret() {
    SessionSecret secret{};
    secret[0] = std::byte{7};  // as Pair has it
    return secret;
  }
  Pair& pair_;
  PacketPool pool_{4};
  Session session_{Role::a, secret()};
  std::uint64_t number_ = 1000;
};

TEST(Hostile, authenticated_nonsense_crashes_nothing) {
  TunnelConfig config;
  config.classes[0].fec.code = FecCode::reed_solomon;
  config.classes[1].fec.code = FecCode::sliding_rlc;
  Pair pair({symmetric(20, 10ms), symmetric(20, 15ms)}, config);
  pair.run(200ms);
  RoguePeer rogue(pair);
  Rng rng{13};
  for (int i = 0; i < 20000; ++i) {
    Bytestring frames(1 + rng.below(rng.chance(0.1) ? 1400 : 60));
    for (std::byte& byte : frames) byte = static_cast<std::byte>(rng.next());
    // Small numbers meet state that exists; classes above the third do not exist.
    for (std::byte& byte : frames) byte &= rng.chance(0.5) ? std::byte{0x03} : std::byte{0xff};
    frames[0] = static_cast<std::byte>(1 + rng.below(10) + 16 * rng.below(4) + 128 * rng.below(2));
    rogue.send(frames);
    if (i % 10 == 0) pair.run(1ms);
  }
  pair.run(2s);
  EXPECT_GT(pair.drops(Pair::b, Drop::malformed), 1000u);
  EXPECT_EQ(pair.metrics(Pair::b).held_packets, 0u);
}

TEST(Hostile, a_peer_that_repeats_a_place_in_the_order_crashes_nothing) {
  Pair pair({symmetric(20, 10ms)});
  pair.run(200ms);
  RoguePeer rogue(pair);
  for (std::uint32_t i = 0; i < 4; ++i) rogue.send(rogue.data_frame(10 + i, 7));
  pair.run(1s);
  EXPECT_EQ(pair.metrics(Pair::b).held_packets, 0u);
  EXPECT_EQ(pair.metrics(Pair::b).delivered_packets, 1u);
}

TEST(Hostile, a_peer_that_leaves_gaps_everywhere_fills_no_more_than_the_bound) {
  constexpr std::uint32_t packets = 20000;  // more than may be held
  static_assert(packets > resequence_max);
  PairOptions options;
  options.pool_slots = packets + 1000;
  Pair pair({symmetric(20, 10ms)}, {}, 1, options);
  pair.run(200ms);
  RoguePeer rogue(pair);
  for (std::uint32_t i = 0; i < packets; ++i) {
    rogue.send(rogue.data_frame(2 * i, 2 * i + 1));
    if (i % 1000 == 999) pair.run(1us);
  }
  EXPECT_LE(pair.metrics(Pair::b).held_packets, resequence_max);
  pair.run(2s);
  EXPECT_EQ(pair.metrics(Pair::b).held_packets, 0u);
  EXPECT_EQ(pair.metrics(Pair::b).delivered_packets, packets);
}

}  // namespace
}  // namespace sennit

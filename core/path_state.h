// Is a path usable? One transition function decides, from facts that traffic itself provides.
//
//   probing --answers--> up --silence--> suspect --longer--> down --answer--> probing
//                         ^-----answer-----'
//
// SUSPECT costs little when it is wrong (packets go elsewhere, a few copies) and saves everything
// when it is right, so it comes early: one report is overdue. DOWN forgets what was in flight. A
// path that comes back proves itself with several answered PINGs; every flap lengthens that.
#pragma once

#include <optional>

#include "core/observe.h"
#include "core/units.h"

namespace sennit {

/// Facts about one path at one instant.
struct PathFacts {
  std::optional<Instant> oldest_unanswered{};  // when the first unanswered datagram left
  Duration usual_answer{};  // srtt + report interval: when its answer should have been here
  Duration deviation{};     // of the round trip
  Duration packet_time{};   // of one full packet at the path's rate
  Duration down_after_min{};
  Instant peer_heard{};  // last datagram from the peer, on any path
};

class PathLiveness {
 public:
  PathState state() const { return state_; }

  /// News arrived that was sent after the last: an acknowledgement or a PONG.
  /// `only_hope`: no other path is up, so one answer is proof enough.
  void on_answer(Instant now, bool only_hope) {
    last_answer_ = now;
    if (state_ == PathState::suspect) {  // a false alarm: be slower to raise the next
      state_ = PathState::up;
      caution_ = std::min(caution_ * 2, caution_max);
    }
    if (state_ == PathState::down) {
      state_ = PathState::probing;
      answers_ = 0;
    }
    if (state_ != PathState::probing) return;
    if (++answers_ >= answers_needed_ || only_hope) {
      state_ = PathState::up;
      up_since_ = now;
    }
  }

  /// Silence may change the state now.
  void on_time(Instant now, const PathFacts& facts) {
    if (!facts.oldest_unanswered) return;
    if (state_ == PathState::up && now >= suspect_at(facts)) state_ = PathState::suspect;
    if (state_ == PathState::suspect && now >= down_at(facts)) go_down(now);
    if (state_ == PathState::probing && answers_ > 0 && now >= down_at(facts)) answers_ = 0;
  }

  /// The device's own word.
  void on_carrier(Instant now, bool up) {
    if (!up && state_ != PathState::down) go_down(now);
    if (up && state_ == PathState::down) {
      state_ = PathState::probing;
      answers_ = 0;
    }
  }

  /// When on_time() will change the state if nothing is heard.
  Instant next_change(const PathFacts& facts) const {
    if (!facts.oldest_unanswered) return never;
    if (state_ == PathState::up) return suspect_at(facts);
    if (state_ == PathState::suspect) return down_at(facts);
    return never;
  }
  std::optional<Instant> last_answer() const { return last_answer_; }

 private:
  static constexpr int answers_first = 1;   // nothing speaks against a new path
  static constexpr int answers_again = 3;   // something spoke against one that was down
  static constexpr int answers_limit = 12;  // of a path that flaps: about a second of PINGs
  static constexpr auto flap_forgiven = std::chrono::seconds{30};

  // While the peer is heard elsewhere, its silence about this path means this path. While nothing
  // at all is heard it may as well be the way back: wait as long again.
  Instant suspect_at(const PathFacts& f) const {
    const Duration margin =
        caution_ * (4 * f.deviation + std::max<Duration>(3 * f.packet_time, 5ms));
    const Instant at = *f.oldest_unanswered + f.usual_answer + margin;
    const bool heard_since = f.peer_heard >= *f.oldest_unanswered + f.usual_answer;
    return heard_since ? at : at + std::max<Duration>(f.usual_answer, 50ms);
  }
  Instant down_at(const PathFacts& f) const {
    return std::max(*f.oldest_unanswered + f.down_after_min,
                    suspect_at(f) + std::max<Duration>(f.usual_answer, 50ms));
  }
  void go_down(Instant now) {
    const bool flapping = up_since_ && now - *up_since_ < flap_forgiven;
    answers_needed_ = flapping
                          ? std::min(std::max(answers_needed_ * 2, answers_again), answers_limit)
                          : answers_again;
    state_ = PathState::down;
    caution_ = 1;
  }

  PathState state_ = PathState::probing;
  int answers_ = 0, answers_needed_ = answers_first;
  static constexpr int caution_max = 4;
  int caution_ = 1;  // multiplies the margin of suspicion
  std::optional<Instant> last_answer_, up_since_;
};

}  // namespace sennit

// The ring of words is checked against the plainest possible model: a set of everything seen.
#include "core/sequence_window.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "core/bounds.h"
#include "core/rng.h"

namespace sennit {
namespace {

template <std::size_t N>
class Model {
 public:
  using Window = SequenceWindow<PathSeq, N>;
  static constexpr std::uint64_t depth = N - 64;  // one word of the ring is always being cleared

  typename Window::Verdict check(std::uint64_t v) const {
    if (seen_.empty() || v > largest()) return Window::Verdict::fresh;
    if (largest() - v >= depth) return Window::Verdict::too_old;
    return seen_.contains(v) ? Window::Verdict::seen : Window::Verdict::fresh;
  }
  void commit(std::uint64_t v) {
    seen_.insert(v);
    while (*seen_.begin() < floor()) seen_.erase(seen_.begin());
  }
  bool empty() const { return seen_.empty(); }
  std::uint64_t largest() const { return *seen_.rbegin(); }
  std::uint64_t floor() const { return largest() >= depth ? largest() - depth + 1 : 0; }

  /// Newest first, at most `limit`.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges(std::size_t limit) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
    for (auto v = seen_.rbegin(); v != seen_.rend(); ++v) {
      if (!runs.empty() && runs.back().first == *v + 1) {
        runs.back().first = *v;
      } else if (runs.size() == limit) {
        break;
      } else {
        runs.emplace_back(*v, *v);
      }
    }
    return runs;
  }

 private:
  std::set<std::uint64_t> seen_;
};

template <std::size_t N>
void expect_same_ranges(const typename Model<N>::Window& window, const Model<N>& model) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, report_ranges_max, N}) {
    std::vector<typename Model<N>::Window::Range> out(limit);
    out.resize(window.ranges(out));
    const auto expected = model.ranges(limit);
    ASSERT_EQ(out.size(), expected.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_EQ(out[i].first.value, expected[i].first);
      ASSERT_EQ(out[i].last.value, expected[i].second);
    }
  }
}

/// The next sequence to offer: mostly a step or two ahead, often a little or far behind, at the
/// edges of the window, and now and then far ahead.
template <std::size_t N>
std::uint64_t next_sequence(Rng& rng, const Model<N>& model) {
  const std::uint64_t top = model.empty() ? rng.below(3 * N) : model.largest();
  const auto behind = [&](std::uint64_t n) { return top - std::min(top, n); };
  switch (rng.below(20)) {
    case 0:
      return behind(Model<N>::depth - 2 + rng.below(5));  // around the far edge
    case 1:
      return behind(N - 2 + rng.below(5));  // around the size of the ring
    case 2:
    case 3:
      return behind(rng.below(2 * N));
    case 4:
      return top / 64 * 64 + rng.below(3) + 63;  // around a word's border
    case 5:
      return rng.chance(0.02) ? top + rng.below(5 * N) : top + 1;
    case 6:
      return rng.chance(0.005) ? top + (std::uint64_t{1} << 33) : top + 1 + rng.below(100);
    case 7:
    case 8:
    case 9:
      return behind(rng.below(64));
    default:
      return top + 1 + (rng.chance(0.1) ? rng.below(4) : 0);
  }
}

template <std::size_t N>
void behaves_like_the_model(std::uint64_t seed, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng{seed};
  const auto window = std::make_unique<typename Model<N>::Window>();
  Model<N> model;
  for (int i = 0; i < steps; ++i) {
    const std::uint64_t v = next_sequence(rng, model);
    const auto verdict = model.check(v);
    ASSERT_EQ(window->check(PathSeq{v}), verdict) << "step " << i << " sequence " << v;
    if (verdict == Model<N>::Window::Verdict::fresh) {
      window->commit(PathSeq{v});
      model.commit(v);
      ASSERT_EQ(window->check(PathSeq{v}), Model<N>::Window::Verdict::seen);
    }
    ASSERT_EQ(window->empty(), model.empty());
    ASSERT_EQ(window->largest().value, model.largest());
    if (rng.chance(10.0 / static_cast<double>(N))) expect_same_ranges<N>(*window, model);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(SequenceWindow, a_small_one_behaves_like_a_set) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) behaves_like_the_model<128>(seed, 20'000);
}
TEST(SequenceWindow, the_replay_window_behaves_like_a_set) {
  for (std::uint64_t seed = 11; seed <= 14; ++seed) {
    behaves_like_the_model<replay_window>(seed, 60'000);
  }
}
TEST(SequenceWindow, the_duplicate_window_behaves_like_a_set) {
  for (std::uint64_t seed = 21; seed <= 22; ++seed) {
    behaves_like_the_model<duplicate_window>(seed, 250'000);
  }
}

using Window = SequenceWindow<PathSeq, replay_window>;
using Verdict = Window::Verdict;

TEST(SequenceWindow, a_new_one_holds_everything_to_be_fresh) {
  const Window window;
  EXPECT_TRUE(window.empty());
  EXPECT_EQ(window.check(PathSeq{0}), Verdict::fresh);
  EXPECT_EQ(window.check(PathSeq{std::uint64_t{1} << 40}), Verdict::fresh);
  std::array<Window::Range, 4> out{};
  EXPECT_EQ(window.ranges(out), 0u);
}

TEST(SequenceWindow, sequence_zero_counts_like_any_other) {
  Window window;
  window.commit(PathSeq{0});
  EXPECT_FALSE(window.empty());
  EXPECT_EQ(window.check(PathSeq{0}), Verdict::seen);
  EXPECT_EQ(window.check(PathSeq{1}), Verdict::fresh);
  std::array<Window::Range, 4> out{};
  ASSERT_EQ(window.ranges(out), 1u);
  EXPECT_EQ(out[0].first, PathSeq{0});
  EXPECT_EQ(out[0].last, PathSeq{0});
}

TEST(SequenceWindow, a_first_sequence_far_from_zero_leaves_those_before_it_fresh) {
  Window window;
  window.commit(PathSeq{1'000'000});
  EXPECT_EQ(window.check(PathSeq{999'999}), Verdict::fresh);
  EXPECT_EQ(window.check(PathSeq{1'000'000 - replay_window}), Verdict::too_old);
}

TEST(SequenceWindow, a_jump_over_the_whole_ring_forgets_everything) {
  Window window;
  for (std::uint64_t v = 0; v < replay_window; ++v) window.commit(PathSeq{v});
  const std::uint64_t top = (std::uint64_t{1} << 40) + 17;
  window.commit(PathSeq{top});
  for (std::uint64_t v = top - replay_window + 64 + 1; v < top; ++v) {
    ASSERT_EQ(window.check(PathSeq{v}), Verdict::fresh) << v;
  }
}

TEST(SequenceWindow, a_report_of_a_full_window_is_one_range) {
  Window window;
  for (std::uint64_t v = 0; v < 3 * replay_window; ++v) window.commit(PathSeq{v});
  std::array<Window::Range, 4> out{};
  ASSERT_EQ(window.ranges(out), 1u);
  EXPECT_EQ(out[0].last.value, 3 * replay_window - 1);
  EXPECT_EQ(out[0].first.value, 3 * replay_window - (replay_window - 64));
}

}  // namespace
}  // namespace sennit

// Measures what the codes leave lost, through the encoder and decoder that tunnels use, and prints
// one JSON object a line. Exit status 1 when a goal is missed.
//
//   fec_goals [--short]     about 15 s, or 2
//
// 12: a block code leaves what the binomial formula says. "Within the 95 % interval" is a statement
//     about many trials: of 40, the intervals of 38 should contain the formula's value, and fewer
//     than 34 would happen once in 300 times. Where failures of a block are too rare to be seen,
//     its losses are drawn more often and each block weighs what it is less likely than that
//     (importance sampling): unbiased, and still every symbol goes through the codec.
// 13: a sliding code leaves hardly more than the best linear code over its windows, and much less
//     than a block of the same overhead and delay. A block that makes lost packets wait as long as
//     the window does is half as long: its repairs exist only when its last source is there, and
//     need as long again to leave among the next ones.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/fec/fec_trial.h"

namespace sennit {
namespace {

bool all_met = true;

template <class... Values>
std::string text(const char* format, Values... values) {
  char out[256];
  std::snprintf(out, sizeof out, format, values...);
  return out;
}

void report(int goal, const std::string& profile, const std::string& measured,
            const std::string& goal_text, bool met) {
  std::printf(
      "{\"goal\": %d, \"profile\": \"%s\", \"measured\": \"%s\", \"goal_text\": \"%s\", \"met\": "
      "%s}\n",
      goal, profile.c_str(), measured.c_str(), goal_text.c_str(), met ? "true" : "false");
  std::fflush(stdout);
  all_met = all_met && met;
}

// --- 12: blocks and independent losses ---

double probability_of(std::size_t lost, std::size_t n, double p) {
  const auto j = static_cast<double>(lost), all = static_cast<double>(n);
  return std::exp(std::lgamma(all + 1) - std::lgamma(j + 1) - std::lgamma(all - j + 1) +
                  j * std::log(p) + (all - j) * std::log1p(-p));
}

/// (1/n) sum_{j>r} j C(n,j) p^j (1-p)^(n-j)
double formula(BlockShape shape, double p) {
  const std::size_t n = shape.sources + shape.repairs;
  double sum = 0;
  for (std::size_t j = shape.repairs + 1; j <= n; ++j) {
    sum += static_cast<double>(j) * probability_of(j, n, p);
  }
  return sum / static_cast<double>(n);
}

/// Mean of the share of sources that a block leaves lost, and the variance of that mean.
struct Estimate {
  double mean = 0, variance = 0;
};

/// Blocks through the codec; each symbol is lost with `drawn`, and the result is for losses of `p`.
class BlockTrial {
 public:
  BlockTrial(BlockShape shape, double p, double drawn, Rng rng)
      : shape_(shape),
        p_(p),
        drawn_(drawn),
        rng_(rng),
        encoder_({.code = FecCode::reed_solomon,
                  .source = static_cast<std::uint8_t>(shape.sources),
                  .repair = static_cast<std::uint8_t>(shape.repairs)}) {}

  Estimate run(std::size_t blocks) {
    double sum = 0, squares = 0;
    for (std::size_t b = 0; b < blocks; ++b) {
      const double x = block();
      sum += x;
      squares += x * x;
    }
    const auto n = static_cast<double>(blocks);
    const double mean = sum / n;
    return {mean, (squares / n - mean * mean) / n};
  }

 private:
  bool loses() {
    const bool lost = rng_.chance(drawn_);
    weight_ *= lost ? p_ / drawn_ : (1 - p_) / (1 - drawn_);
    return lost;
  }
  double block() {
    weight_ = 1;
    std::size_t lost = 0;
    for (std::size_t i = 0; i < shape_.sources; ++i, ++next_) {
      encoder_.add(Instant{}, {next_}, 0, packet_);
      if (loses()) {
        ++lost;
      } else {
        decoder_.handle_source({next_}, 0, packet_);
      }
    }
    for (FecRepair repair; encoder_.poll_repair(repair);) {
      if (!loses()) decoder_.handle_repair(repair);
    }
    for (FecRecovered recovered; decoder_.poll_recovered(recovered);) --lost;
    return weight_ * static_cast<double>(lost) / static_cast<double>(shape_.sources);
  }

  BlockShape shape_;
  double p_, drawn_;
  Rng rng_;
  FecEncoder encoder_;
  FecDecoder decoder_;
  std::array<std::byte, 4> packet_{};
  std::uint64_t next_ = 0;
  double weight_ = 1;
};

void measure_block(std::size_t repairs, double p, bool is_short) {
  constexpr int trials = 40, trials_least = 34;
  const BlockShape shape{15, repairs};
  const std::size_t n = shape.sources + repairs, blocks = is_short ? 1500 : 12000;
  const double expected = formula(shape, p);
  // At least 50 failures of a block in a trial, or a normal distribution says little about them.
  const bool rare = expected * static_cast<double>(blocks * n) < 50 * static_cast<double>(repairs);
  const double often = static_cast<double>(repairs + 1) / static_cast<double>(2 * n);
  const double drawn = rare ? std::max(p, often) : p;
  const Rng rng(12);
  int within = 0;
  Estimate all;
  for (int i = 0; i < trials; ++i) {
    const std::string stream = text("%zu %g %d", repairs, p, i);
    const Estimate e = BlockTrial(shape, p, drawn, rng.fork(stream)).run(blocks);
    within += std::abs(e.mean - expected) <= 1.96 * std::sqrt(e.variance);
    all.mean += e.mean / trials;
    all.variance += e.variance / trials / trials;
  }
  report(12, text("k=15 r=%zu p=%g%%%s", repairs, 100 * p, drawn > p ? " (weighted)" : ""),
         text("PLR %.3g +- %.1g, formula %.3g, in the interval in %d of %d trials", all.mean,
              1.96 * std::sqrt(all.variance), expected, within, trials),
         "residual loss = (1/n) sum_{j>r} j C(n,j) p^j (1-p)^(n-j) within the 95 % interval",
         within >= trials_least);
}

// --- 13: a sliding window and bursts ---

using fec_test::Channel;
using fec_test::Outcome;

Outcome total_of(const FecConfig& config, std::size_t sources, int seeds) {
  Outcome total;
  for (int seed = 1; seed <= seeds; ++seed) {
    const auto number = static_cast<std::uint64_t>(seed);
    const Outcome one =
        fec_test::simulate(config, {.sources = sources}, Channel(0.02, 3, Rng(number)), number);
    total.lost += one.lost;
    total.residual += one.residual;
    total.late += one.late;
    total.ideal += one.ideal;
    total.mean_wait += one.mean_wait / seeds;
  }
  return total;
}

double ratio(std::size_t a, std::size_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

void measure_sliding(bool is_short) {
  const int seeds = is_short ? 3 : 10;
  const std::size_t sources = is_short ? 300'000 : 1'000'000;
  const std::string profile = "W=40, 20 % overhead, Gilbert-Elliott 2 %, mean burst 3";
  const Outcome sliding =
      total_of({.code = FecCode::sliding_rlc, .source = 40, .repair = 8}, sources, seeds);
  const Outcome block =
      total_of({.code = FecCode::reed_solomon, .source = 20, .repair = 4}, sources, seeds);
  const double to_ideal = ratio(sliding.residual, sliding.ideal);
  report(13, profile,
         text("%.3f x the ideal window (%zu and %zu of %zu lost)", to_ideal, sliding.residual,
              sliding.ideal, sliding.lost),
         "residual loss <= 1.3 x the ideal window code's", to_ideal <= 1.3);
  const double gain = ratio(block.residual, sliding.residual);
  const double gain_in_time = ratio(block.residual + block.late, sliding.residual + sliding.late);
  report(
      13, profile + "; block k=20 r=4",
      text("%.2f x less (%zu and %zu; mean wait %.1f and %.1f symbols; %.2f x if what comes after "
           "48 symbols is lost too)",
           gain, sliding.residual, block.residual, sliding.mean_wait, block.mean_wait,
           gain_in_time),
      ">= 2.5 x better than a block code of the same overhead and delay",
      gain >= 2.5 && std::abs(sliding.mean_wait - block.mean_wait) <= 2);
}

}  // namespace
}  // namespace sennit

int main(int argc, char** argv) {
  const bool is_short = argc == 2 && std::strcmp(argv[1], "--short") == 0;
  if (argc > 1 && !is_short) {
    std::fprintf(stderr, "fec_goals: found '%s'; allowed: --short, or nothing\n", argv[1]);
    return 2;
  }
  for (const std::size_t repairs : {2U, 4U}) {
    for (const double p : {0.005, 0.01, 0.02, 0.05, 0.1}) {
      sennit::measure_block(repairs, p, is_short);
    }
  }
  sennit::measure_sliding(is_short);
  return sennit::all_met ? 0 : 1;
}

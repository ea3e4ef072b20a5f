#include "sim/runner/progress.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include <fmt/format.h>

namespace sennit {
namespace {

constexpr const char* dim = "\033[2m";
constexpr const char* cyan = "\033[36m";
constexpr const char* plain = "\033[0m";

std::string repeated(const char* text, std::size_t n) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all += text;
  return all;
}

std::string bar(double fraction, std::size_t cells) {
  const auto halves =
      static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * 2 * static_cast<double>(cells));
  const std::size_t full = halves / 2, half = halves % 2;
  return cyan + repeated("━", full) + repeated("╸", half) + plain + dim +
         repeated("─", cells - full - half) + plain;
}

std::string shortened(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : "…" + text.substr(text.size() - width + 1);
}

}  // namespace

std::string clock_text(double seconds) {
  const auto s = static_cast<long>(std::ceil(std::max(0.0, seconds)));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

Progress::Progress(ProgressStyle style, std::vector<Run> runs, std::size_t width)
    : style_(style),
      runs_(std::move(runs)),
      states_(runs_.size()),
      width_(std::clamp<std::size_t>(width, 60, 120)) {
  for (const Run& run : runs_) label_width_ = std::max(label_width_, run.label.size());
  label_width_ = std::min(label_width_, width_ - 46);
  if (style_ == ProgressStyle::live) std::cerr << "\033[?25l";  // no cursor
}

Progress::~Progress() {
  if (style_ != ProgressStyle::live) return;
  erase();
  std::cerr << "\033[?25h" << std::flush;
}

void Progress::started(std::size_t run) { states_[run] = {Stage::running, 0, Clock::now()}; }

void Progress::reached(std::size_t run, double simulated_s) {
  states_[run].simulated_s = simulated_s;
}

void Progress::ended(std::size_t run, const std::string& remark) {
  State& state = states_[run];
  state.stage = Stage::ended;
  const double wall = std::chrono::duration<double>(Clock::now() - state.since).count();
  if (style_ == ProgressStyle::none) return;
  if (style_ == ProgressStyle::live && remark.empty()) return;
  erase();
  const double simulated = remark.empty() ? runs_[run].duration_s : state.simulated_s;
  std::cerr << fmt::format("{:<{}}  {:.1f} s simulated in {:.1f} s, {:.1f} x real time{}{}\n",
                           runs_[run].label, label_width_, simulated, wall,
                           wall > 0 ? simulated / wall : 0, remark.empty() ? "" : ": ", remark)
            << std::flush;
}

void Progress::draw() {
  if (style_ != ProgressStyle::live) return;
  const auto now = Clock::now();
  if (now - drawn_at_ < std::chrono::milliseconds{100}) return;
  drawn_at_ = now;
  erase();
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (states_[i].stage != Stage::running) continue;
    std::cerr << line_of(i) << "\n";
    ++drawn_lines_;
  }
  if (runs_.size() > 1) {
    std::cerr << total_line() << "\n";
    ++drawn_lines_;
  }
  std::cerr << std::flush;
}

/// Simulated seconds a second.
double Progress::speed_of(const State& state) const {
  const double wall = std::chrono::duration<double>(Clock::now() - state.since).count();
  return wall > 0.2 ? state.simulated_s / wall : 0;
}

std::string Progress::line_of(std::size_t run) const {
  const State& state = states_[run];
  const double duration = runs_[run].duration_s, speed = speed_of(state);
  const std::size_t cells = std::min<std::size_t>(width_ / 3, width_ - label_width_ - 40);
  const std::string left =
      speed > 0 ? clock_text((duration - state.simulated_s) / speed) + " left" : "";
  return fmt::format("{:<{}}  {}  {:5.1f}/{:.0f} s  {:5.1f}x  {:>9}",
                     shortened(runs_[run].label, label_width_), label_width_,
                     bar(state.simulated_s / duration, cells), state.simulated_s, duration, speed,
                     left);
}

std::string Progress::total_line() const {
  std::size_t running = 0, ended = 0;
  double remaining_s = 0, speed = 0;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const State& state = states_[i];
    if (state.stage == Stage::ended) {
      ++ended;
      continue;
    }
    remaining_s += runs_[i].duration_s - state.simulated_s;
    if (state.stage != Stage::running) continue;
    ++running;
    speed += speed_of(state);
  }
  const std::string left = speed > 0 ? ", " + clock_text(remaining_s / speed) + " left" : "";
  return fmt::format("{}{} of {} runs done, {} running{}{}", dim, ended, runs_.size(), running,
                     left, plain);
}

void Progress::erase() {
  for (; drawn_lines_ > 0; --drawn_lines_) std::cerr << "\033[1A\033[2K";
}

}  // namespace sennit

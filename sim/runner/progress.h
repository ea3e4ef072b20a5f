// What the user sees while runs are under way: on a terminal a line with a bar for each running
// one and a line for all, redrawn in place; elsewhere one plain line when a run ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace sennit {

enum class ProgressStyle : std::uint8_t { none, lines, live };

/// `width` columns; a bar is at most a third of them. Wall-clock time comes from the steady clock.
class Progress {
 public:
  struct Run {
    std::string label;
    double duration_s;  // simulated
  };
  Progress(ProgressStyle style, std::vector<Run> runs, std::size_t width);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void started(std::size_t run);
  void reached(std::size_t run, double simulated_s);
  /// `remark`: "" for a complete run, else what to say of it ("interrupted", "crashed").
  void ended(std::size_t run, const std::string& remark);
  /// Redraws if the picture is older than 100 ms.
  void draw();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Stage : std::uint8_t { waiting, running, ended };
  struct State {
    Stage stage = Stage::waiting;
    double simulated_s = 0;
    Clock::time_point since{};
  };
  double speed_of(const State& state) const;
  std::string line_of(std::size_t run) const;
  std::string total_line() const;
  void erase();

  ProgressStyle style_;
  std::vector<Run> runs_;
  std::vector<State> states_;
  std::size_t width_;
  std::size_t label_width_ = 0;
  std::size_t drawn_lines_ = 0;
  Clock::time_point drawn_at_{};
};

/// 75 -> "1:15", 3675 -> "1:01:15".
std::string clock_text(double seconds);

}  // namespace sennit

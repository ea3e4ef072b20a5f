// A run's folder of results, which is always one run's: it is filled under another name beside it
// and takes the place of the old one in one step.
#pragma once

#include <filesystem>

namespace sennit {

/// Makes `out` and proves that a file of some size can be written there. Throws InputError with
/// the system's reason.
void check_writable(const std::filesystem::path& out);

class RunFolder {
 public:
  /// Makes the hidden folder beside `final_place`, and removes those that dead processes left.
  /// Throws InputError.
  explicit RunFolder(std::filesystem::path final_place);
  /// Removes what was not published.
  ~RunFolder();
  RunFolder(RunFolder&&) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;

  const std::filesystem::path& path() const { return hidden_; }
  /// Puts it into its place; what was there is gone. Throws InputError.
  void publish();
  /// Puts it beside its place as `seed-1.crashed`, for whoever looks for the reason.
  std::filesystem::path keep_as_crashed();

 private:
  void move_to(const std::filesystem::path& place);
  std::filesystem::path final_, hidden_;
};

}  // namespace sennit

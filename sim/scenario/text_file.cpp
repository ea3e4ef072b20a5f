#include "sim/scenario/text_file.h"

#include <fstream>
#include <iterator>

namespace sennit {

std::optional<std::string> read_text_file(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) return {};
  std::ifstream in(file, std::ios::binary);
  if (!in) return {};
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return {};
  return text;
}

}  // namespace sennit

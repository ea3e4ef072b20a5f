// Reads traces in mahimahi's format. They are often recorded or converted by somebody's script, so
// the first thing that is wrong is named with its line.
#include <charconv>

#include "core/link_model/link_model.h"

namespace sennit {
namespace {

constexpr std::string_view allowed =
    "allowed is one whole number of milliseconds per line, from 0 to 4294967295";

/// What an error message may show of a line: short and printable.
std::string excerpt(std::string_view line) {
  constexpr std::size_t shown = 40;
  std::string text{line.substr(0, shown)};
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return line.size() > shown ? text + "..." : text;
}

std::string fault(std::size_t line_number, std::string_view line, std::string_view rule) {
  return "line " + std::to_string(line_number) + ": found '" + excerpt(line) + "', " +
         std::string{rule};
}

/// Cuts the first line, without its end (LF or CRLF), off `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::uint32_t> parse_ms(std::string_view line) {
  std::uint32_t ms = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data(), end, ms);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return ms;
}

std::string_view without_blank_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

}  // namespace

TraceParse parse_mahimahi(std::string_view text) {
  TraceParse parse;
  std::vector<std::uint32_t>& times = parse.trace.opportunity_ms;
  std::string_view rest = without_blank_end(text);
  if (rest.empty()) {
    parse.error = "line 1: found the end of the file, " + std::string{allowed};
    return parse;
  }
  std::string_view line;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    line = take_line(rest);
    const std::optional<std::uint32_t> ms = parse_ms(line);
    if (!ms) {
      parse.error = fault(number, line, allowed);
      return parse;
    }
    if (!times.empty() && *ms < times.back()) {
      parse.error = fault(number, line,
                          "allowed is no time before that of the line above (" +
                              std::to_string(times.back()) + ")");
      return parse;
    }
    times.push_back(*ms);
  }
  if (times.back() == 0) {
    parse.error = fault(times.size(), line,
                        "allowed as the last time is 1 or more: the trace repeats after it");
  }
  return parse;
}

}  // namespace sennit

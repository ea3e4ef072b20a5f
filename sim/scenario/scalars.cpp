#include "sim/scenario/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace sennit::yaml {
namespace {

struct Unit {
  std::string_view name;
  double factor;  // to bits per second, nanoseconds, octets
};
constexpr std::array rate_units{Unit{"bit", 1}, Unit{"kbit", 1e3}, Unit{"mbit", 1e6},
                                Unit{"gbit", 1e9}};
constexpr std::array time_units{Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9},
                                Unit{"min", 60e9}};
constexpr std::array size_units{Unit{"B", 1}, Unit{"kB", 1e3}, Unit{"MB", 1e6}, Unit{"KiB", 1024},
                                Unit{"MiB", 1024.0 * 1024}};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// "1.5mbit" in the base unit, rounded; nothing when number or unit is not one, or too large.
std::optional<std::int64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
  const std::size_t split = std::min(text.find_first_not_of("+-.0123456789"), text.size());
  const std::optional<double> number = parse_number(text.substr(0, split));
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& known) {
    return known.name == text.substr(split);
  });
  if (!number || unit == units.end() || std::abs(*number * unit->factor) > 9e18) return {};
  return std::llround(*number * unit->factor);
}

std::string show(Bytes size) {
  std::string shown = fmt::format("{}B", size.count);
  for (const Unit& unit : size_units) {
    const auto octets = static_cast<std::int64_t>(unit.factor);
    if (size.count % octets == 0) shown = fmt::format("{}{}", size.count / octets, unit.name);
  }
  return shown;
}

std::optional<double> parse_fraction(std::string_view text) {
  if (!text.ends_with('%')) return parse_number(text);
  const auto percent = parse_number(text.substr(0, text.size() - 1));
  if (!percent) return {};
  return *percent / 100;
}

/// What a list or a block passes for: no word at all.
const std::string& word(const Field& field) {
  static const std::string none;
  return field.node->kind == Node::Kind::scalar ? field.node->text : none;
}

bool is_name_letter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (result.ec != std::errc{} || result.ptr != end || !std::isfinite(number)) return {};
  return number;
}

std::string text(const Field& field) {
  if (field.node->kind != Node::Kind::scalar) field.fail("a text");
  return field.node->text;
}

bool boolean(const Field& field) {
  if (word(field) != "true" && word(field) != "false") field.fail("true or false");
  return word(field) == "true";
}

BitRate rate(const Field& field) {
  constexpr std::int64_t most = 1'000'000'000'000;
  const auto bits_per_second = parse_quantity(lower(word(field)), rate_units);
  if (!bits_per_second || *bits_per_second < 1 || *bits_per_second > most) {
    field.fail("a positive rate such as 40mbit, 300kbit or 1.5gbit");
  }
  return BitRate::from_bits_per_second(*bits_per_second);
}

std::string name(const Field& field) {
  constexpr std::size_t length_max = 64;
  const std::string& found = word(field);
  const bool fit = std::all_of(found.begin(), found.end(),
                               [](char c) { return is_name_letter(c) || c == '-' || c == '_'; });
  if (!fit || found.empty() || !is_name_letter(found.front()) || found.size() > length_max) {
    field.fail("a name of at most 64 letters, digits, - and _, a letter or digit first");
  }
  return found;
}

std::string show(Duration time) {
  std::string shown = fmt::format("{}ns", time.count());
  for (const Unit& unit : time_units) {
    const auto ns = static_cast<std::int64_t>(unit.factor);
    if (unit.name != "min" && time.count() % ns == 0) {
      shown = fmt::format("{}{}", time.count() / ns, unit.name);
    }
  }
  return time.count() == 0 ? "0s" : shown;
}

std::string read_unique_name(const Field& field, std::vector<std::string>& taken) {
  std::string found = name(field);
  if (std::find(taken.begin(), taken.end(), found) != taken.end()) {
    field.fail(fmt::format("'{}' a second time", found), "each name once");
  }
  taken.push_back(found);
  return found;
}

Duration read_time(const Field& field, Duration least, Duration most) {
  const auto ns = parse_quantity(word(field), time_units);
  if (!ns || *ns < least.count() || *ns > most.count()) {
    field.fail(fmt::format("a time from {} to {} in us, ms, s or min", show(least), show(most)));
  }
  return Duration{*ns};
}

Duration read_time_before(const Field& field, Duration end, std::string_view what) {
  const auto ns = parse_quantity(word(field), time_units);
  if (!ns || *ns < 0 || *ns >= end.count()) {
    field.fail(
        fmt::format("a time from 0s to before {} ({}) in us, ms, s or min", what, show(end)));
  }
  return Duration{*ns};
}

Bytes read_size(const Field& field, Bytes least, Bytes most) {
  const auto octets = parse_quantity(word(field), size_units);
  if (!octets || *octets < least.count || *octets > most.count) {
    field.fail(
        fmt::format("a size from {} to {} in B, kB, MB, KiB or MiB", show(least), show(most)));
  }
  return {*octets};
}

std::int64_t read_integer(const Field& field, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const std::string& found = word(field);
  const char* end = found.data() + found.size();
  const auto result = std::from_chars(found.data(), end, number);
  if (result.ec != std::errc{} || result.ptr != end || number < least || number > most) {
    field.fail(fmt::format("a whole number from {} to {}", least, most));
  }
  return number;
}

double read_number(const Field& field, double least, double most) {
  const auto number = parse_number(word(field));
  if (!number || *number < least || *number > most) {
    field.fail(fmt::format("a number from {} to {}", least, most));
  }
  return *number;
}

double loss_fraction(const Field& field) {
  const auto fraction = parse_fraction(word(field));
  if (!fraction || *fraction < 0 || *fraction >= 1) {
    field.fail("a fraction or percentage from 0 to below 1, such as 0.005 or 0.5%");
  }
  return *fraction;
}

double read_fraction(const Field& field, double least, double most) {
  const auto fraction = parse_fraction(word(field));
  if (!fraction || *fraction < least || *fraction > most) {
    field.fail(fmt::format("a fraction or percentage from {} to {}", least, most));
  }
  return *fraction;
}

std::size_t read_word(const Field& field, const std::vector<std::string>& words) {
  if (field.node->kind != Node::Kind::scalar) field.fail(fmt::format("{}", fmt::join(words, ", ")));
  const auto found = std::find(words.begin(), words.end(), field.node->text);
  if (found == words.end()) fail_unknown(field.node->origin, field.path, field.node->text, words);
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace sennit::yaml

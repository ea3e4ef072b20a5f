// The types of single values in a scenario file: numbers with units, words out of a list, names.
// Each is a function of a Field that returns the value or blames the field.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/units.h"
#include "sim/scenario/field.h"

namespace sennit::yaml {

/// A plain decimal number ("1.5", "-3"); no exponent, no infinity.
std::optional<double> parse_number(std::string_view text);

/// The words of a value that is neither list nor block nor empty.
std::string text(const Field&);
/// `true` or `false`.
bool boolean(const Field&);
/// 0.5% or 0.005; from 0, below 1: a link that loses everything is a black hole.
double loss_fraction(const Field&);
/// 40mbit, 300kbit, 1.5gbit, 9600bit: above zero, up to 1000gbit; the unit in any case.
BitRate rate(const Field&);
/// A name fit for a folder, a file and a dotted path.
std::string name(const Field&);

/// The shortest exact form: 150ms, 10s.
std::string show(Duration);

/// 20us, 30ms, 1.5s, 2min within both bounds.
Duration read_time(const Field&, Duration least, Duration most);
/// A time from 0 to before `end`, which the message calls `what` ("the duration").
Duration read_time_before(const Field&, Duration end, std::string_view what);
/// 64B, 64KiB, 1MiB, 64kB, 1MB within both bounds.
Bytes read_size(const Field&, Bytes least, Bytes most);
std::int64_t read_integer(const Field&, std::int64_t least, std::int64_t most);
/// A number within both bounds.
double read_number(const Field&, double least, double most);
/// 0.5% or 0.005 within both bounds.
double read_fraction(const Field&, double least, double most);
std::string read_unique_name(const Field&, std::vector<std::string>& taken);
/// Which of `words` it is.
std::size_t read_word(const Field&, const std::vector<std::string>& words);

inline auto time_between(Duration least, Duration most) {
  return [=](const Field& field) { return read_time(field, least, most); };
}
inline auto time_before(Duration end, std::string_view what) {
  return [=](const Field& field) { return read_time_before(field, end, what); };
}
inline auto size_between(Bytes least, Bytes most) {
  return [=](const Field& field) { return read_size(field, least, most); };
}
template <class T>
auto integer_between(T least, T most) {
  return [=](const Field& field) {
    return static_cast<T>(
        read_integer(field, static_cast<std::int64_t>(least), static_cast<std::int64_t>(most)));
  };
}
inline auto number_between(double least, double most) {
  return [=](const Field& field) { return read_number(field, least, most); };
}
inline auto fraction_between(double least, double most) {
  return [=](const Field& field) { return read_fraction(field, least, most); };
}
/// A name that is not in `taken` yet; enters it there.
inline auto unique_name(std::vector<std::string>& taken) {
  return [&taken](const Field& field) { return read_unique_name(field, taken); };
}
/// One of `words`, as it stands.
inline auto one_of(std::vector<std::string> words) {
  return [words = std::move(words)](const Field& field) { return words[read_word(field, words)]; };
}
/// One of the words, as what it means.
template <class T>
auto meaning_of(std::vector<std::pair<std::string, T>> table) {
  return [table = std::move(table)](const Field& field) {
    std::vector<std::string> words;
    for (const auto& row : table) words.push_back(row.first);
    return table[read_word(field, words)].second;
  };
}

}  // namespace sennit::yaml

#include "sim/runner/kpi_table.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "sim/results/expectations.h"

namespace sennit {
namespace {

using Json = nlohmann::ordered_json;

enum class Better : std::uint8_t { higher, lower, neither };

struct Kpi {
  std::string label, unit;
  std::string path;  // into the summary
  double scale = 1;
  int decimals = 1;
  Better better = Better::neither;
};
struct Section {
  std::string title;
  std::vector<Kpi> kpis;
};

Section flow_section(const std::string& name, const std::string& kind) {
  const std::string at = "flows." + name + ".";
  Section section{name + " (" + kind + ")", {}};
  auto& kpis = section.kpis;
  const Kpi goodput{"goodput", "Mbit/s", at + "goodput_mbps", 1, 2, Better::higher};
  const Kpi gap{"longest gap", "ms", at + "longest_gap_ms", 1, 0, Better::lower};
  const Kpi loss{"loss", "%", at + "loss_ratio", 100, 2, Better::lower};
  if (kind == "tcp" || kind == "cbr") kpis.push_back(goodput);
  if (kind == "tcp") {
    kpis.push_back({"completed in", "s", at + "completion_s", 1, 2, Better::lower});
  }
  if (kind == "web") {
    kpis.push_back({"pages", "", at + "pages.count", 1, 0, Better::higher});
    kpis.push_back({"page p50", "ms", at + "pages.ms.p50", 1, 0, Better::lower});
    kpis.push_back({"page p95", "ms", at + "pages.ms.p95", 1, 0, Better::lower});
  }
  if (kind == "voip") kpis.push_back({"voice quality", "MOS", at + "mos", 1, 2, Better::higher});
  if (kind == "video") {
    kpis.push_back({"frames on time", "%", at + "frames_on_time_ratio", 100, 2, Better::higher});
  }
  kpis.push_back({"one-way delay p50", "ms", at + "owd_ms.p50", 1, 1, Better::lower});
  kpis.push_back({"one-way delay p99", "ms", at + "owd_ms.p99", 1, 1, Better::lower});
  if (kind != "tcp" && kind != "web") kpis.push_back(loss);
  kpis.push_back(gap);
  return section;
}

Section aggregate_section(const std::string& direction) {
  return {"all flows " + std::string(direction == "up" ? "a → b" : "b → a"),
          {{"goodput", "Mbit/s", "aggregate.goodput_mbps", 1, 2, Better::higher},
           {"bound of the links", "Mbit/s", "aggregate.bound_mbps", 1, 2, Better::neither},
           {"fraction of bound", "%", "aggregate.fraction_of_bound", 100, 1, Better::higher},
           {"best single link", "Mbit/s", "aggregate.best_single_mbps", 1, 2, Better::neither},
           {"aggregation benefit", "", "aggregate.aggregation_benefit", 1, 3, Better::higher}}};
}

Section link_section(const std::vector<VariantResults>& variants, const std::string& direction) {
  Section section{"links " + std::string(direction == "up" ? "a → b" : "b → a"), {}};
  std::vector<std::string> names;
  for (const VariantResults& variant : variants) {
    for (const auto& [name, link] : variant.summaries.front().at("links").items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    section.kpis.push_back({name + " carried", "Mbit/s",
                            "links." + name + "." + direction + ".carried_mbps", 1, 2,
                            Better::neither});
    section.kpis.push_back({name + " queue p99", "ms",
                            "links." + name + "." + direction + ".queue_ms.p99", 1, 1,
                            Better::lower});
  }
  return section;
}

Section tunnel_section(const std::string& direction) {
  const std::string sender = direction == "up" ? "tunnel.a." : "tunnel.b.";
  const std::string receiver = direction == "up" ? "tunnel.b." : "tunnel.a.";
  return {"tunnel",
          {{"held for order p99", "ms", receiver + "hold_ms.p99", 1, 1, Better::lower},
           {"repair traffic", "%", sender + "repair_ratio", 100, 2, Better::lower},
           {"overhead", "%", sender + "overhead_ratio", 100, 1, Better::lower},
           {"simulation speed", "x", "run.speed", 1, 1, Better::neither}}};
}

std::vector<Section> sections_of(const std::vector<VariantResults>& variants) {
  const Json& first = variants.front().summaries.front();
  std::vector<Section> sections;
  const Json& direction = first.at("aggregate").at("direction");
  const std::string bulk = direction.is_string() ? direction.get<std::string>() : "down";
  sections.push_back(aggregate_section(bulk));
  for (const auto& [name, flow] : first.at("flows").items()) {
    sections.push_back(flow_section(name, flow.at("kind")));
  }
  sections.push_back(link_section(variants, bulk));
  sections.push_back(tunnel_section(bulk));
  return sections;
}

std::optional<Estimate> measure(const Kpi& kpi, const VariantResults& variant) {
  std::vector<double> values;
  for (const Json& summary : variant.summaries) {
    const auto value = look_up(summary, kpi.path).value;
    if (value) values.push_back(*value * kpi.scale);
  }
  return estimate(values);
}

std::string text_of(const Estimate& value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value.mean, decimals);
  if (value.half_width) text += fmt::format(" ±{:.{}f}", *value.half_width, decimals);
  return text;
}

std::size_t columns_of(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded_left(const std::string& text, std::size_t width) {
  const std::size_t columns = columns_of(text);
  return std::string(columns < width ? width - columns : 0, ' ') + text;
}

std::string padded_right(const std::string& text, std::size_t width) {
  const std::size_t columns = columns_of(text);
  return text + std::string(columns < width ? width - columns : 0, ' ');
}

/// Text is cut by bytes; names are ASCII nearly always.
std::string shortened(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 1) + "…";
}

class Writer {
 public:
  Writer(const std::vector<VariantResults>& variants, const TableStyle& style)
      : variants_(variants), colour_(style.colour) {
    const bool several = std::any_of(variants.begin(), variants.end(),
                                     [](const auto& v) { return v.summaries.size() > 1; });
    cell_width_ = several ? 17 : 13;
    per_block_ = std::max<std::size_t>(1, (style.width - label_width - unit_width) / cell_width_);
  }

  std::string write(const std::vector<Section>& sections) {
    for (std::size_t begin = 0; begin < variants_.size(); begin += per_block_) {
      const std::size_t end = std::min(begin + per_block_, variants_.size());
      write_head(begin, end);
      for (const Section& section : sections) write_section(section, begin, end);
    }
    return std::move(out_);
  }

 private:
  static constexpr std::size_t label_width = 25, unit_width = 7;

  std::string styled(const char* code, const std::string& text) const {
    return colour_ ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
  }

  void write_head(std::size_t begin, std::size_t end) {
    std::string line = "\n" + std::string(label_width + unit_width, ' ');
    for (std::size_t i = begin; i < end; ++i) {
      line += padded_left(shortened(variants_[i].name, cell_width_ - 2), cell_width_ - 1) + " ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out_ += styled("1", line) + "\n";
  }

  void write_section(const Section& section, std::size_t begin, std::size_t end) {
    std::string rows;
    for (const Kpi& kpi : section.kpis) rows += row(kpi, begin, end);
    if (rows.empty()) return;
    const std::size_t width = label_width + unit_width + (end - begin) * cell_width_ - 1;
    std::string rule;
    for (std::size_t i = columns_of(section.title) + 1; i < width; ++i) rule += "─";
    out_ += styled("1", section.title) + " " + styled("2", rule) + "\n" + rows;
  }

  /// Empty when no variant in this block has a value.
  std::string row(const Kpi& kpi, std::size_t begin, std::size_t end) const {
    std::vector<std::optional<Estimate>> values;
    for (const VariantResults& variant : variants_) values.push_back(measure(kpi, variant));
    const auto marked = best_of(kpi, values);
    std::string line = "  " + padded_right(shortened(kpi.label, label_width - 3), label_width - 2) +
                       padded_right(kpi.unit, unit_width);
    bool any = false;
    for (std::size_t i = begin; i < end; ++i) {
      const std::string text = values[i] ? text_of(*values[i], kpi.decimals) : "–";
      any = any || values[i].has_value();
      const std::string cell = padded_left(text, cell_width_ - 1);
      line += marked[i] ? styled("1;32", cell + "*") : cell + " ";
    }
    if (!any) return {};
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  }

  /// Those that cannot be told from the best at the printed precision; none if that is all.
  static std::vector<bool> best_of(const Kpi& kpi,
                                   const std::vector<std::optional<Estimate>>& values) {
    std::vector<bool> marked(values.size(), false);
    if (kpi.better == Better::neither) return marked;
    const double sign = kpi.better == Better::higher ? 1 : -1;
    const auto rounded = [&](const Estimate& e) {
      const double steps = std::pow(10.0, kpi.decimals);
      return sign * std::round(e.mean * steps);
    };
    std::optional<double> best;
    std::size_t known = 0, marks = 0;
    for (const auto& value : values) {
      if (!value) continue;
      ++known;
      best = best ? std::max(*best, rounded(*value)) : rounded(*value);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      marked[i] = values[i] && rounded(*values[i]) == *best;
      marks += marked[i] ? 1 : 0;
    }
    return marks == known ? std::vector<bool>(values.size(), false) : marked;
  }

  const std::vector<VariantResults>& variants_;
  bool colour_;
  std::size_t cell_width_ = 0, per_block_ = 0;
  std::string out_;
};

bool any_partial(const std::vector<VariantResults>& variants) {
  for (const VariantResults& variant : variants) {
    for (const Json& summary : variant.summaries) {
      if (look_up(summary, "run.partial").value.value_or(0) != 0) return true;
    }
  }
  return false;
}

std::string headline(const std::string& description, const std::vector<VariantResults>& variants,
                     const TableStyle& style) {
  const Json& first = variants.front().summaries.front();
  std::size_t seeds = 0;
  for (const VariantResults& variant : variants) seeds = std::max(seeds, variant.summaries.size());
  const std::string name = first.at("scenario");
  std::string text = style.colour ? "\033[1m" + name + "\033[0m" : name;
  if (!description.empty()) text += "  " + description;
  text += fmt::format("\n{:g} s, the first {:g} s left out; ", first.at("duration_s").get<double>(),
                      first.at("warmup_s").get<double>());
  text += seeds > 1 ? fmt::format("{} seeds: mean ± 95 % confidence", seeds)
                    : fmt::format("seed {}", first.at("seed").get<std::uint64_t>());
  if (variants.size() > 1) text += "; * = best of its row";
  return text + (any_partial(variants) ? "\nPARTIAL: interrupted before the end\n" : "\n");
}

}  // namespace

std::optional<Estimate> estimate(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double mean = sum / n;
  if (values.size() == 1) return Estimate{mean, std::nullopt};
  for (const double v : values) squares += (v - mean) * (v - mean);
  // Student's t at 97.5 % by degrees of freedom, 1 to 30; beyond, 1.96 + 2.5 / n is within 0.3 %.
  constexpr std::array t{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                         2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                         2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  const std::size_t freedom = values.size() - 1;
  const double quantile = freedom <= t.size() ? t[freedom - 1] : 1.96 + 2.5 / n;
  return Estimate{mean, quantile * std::sqrt(squares / (n - 1) / n)};
}

std::string kpi_table(const std::string& description, const std::vector<VariantResults>& variants,
                      const TableStyle& style) {
  return headline(description, variants, style) +
         Writer(variants, style).write(sections_of(variants));
}

}  // namespace sennit

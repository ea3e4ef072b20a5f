// Links: one block describes both directions, `up:` and `down:` override key by key.
#include <fmt/format.h>

#include <memory>

#include "core/bounds.h"
#include "sim/scenario/blocks.h"
#include "sim/scenario/scalars.h"
#include "sim/scenario/text_file.h"

namespace sennit::yaml {
namespace {

constexpr Duration delay_max = 10s;       // a GEO satellite has 0.3 s, Mars 180 s and no customers
constexpr std::uint16_t mtu_least = 576;  // RFC 791: what every IPv4 host must take

constexpr Bytes queue_max{1 << 30};

using TracePointer = std::shared_ptr<const LinkTrace>;

TracePointer read_trace_file(const Field& field, const std::filesystem::path& folder) {
  constexpr std::string_view allowed =
      "a mahimahi trace (one time in ms per line, never falling), its path relative to this file";
  const std::string name = text(field);
  const auto content = read_text_file(folder / name);
  if (!content) field.fail(fmt::format("'{}', which cannot be read", name), allowed);
  TraceParse parsed = parse_mahimahi(*content);
  if (parsed.error) field.fail(fmt::format("'{}' with {}", name, *parsed.error), allowed);
  return std::make_shared<const LinkTrace>(std::move(parsed.trace));
}

TracePointer read_trace(const Field& block, const std::filesystem::path& folder) {
  TracePointer trace;
  std::string format;
  const auto file = [&](const Field& field) { return read_trace_file(field, folder); };
  read_block(block, {into("format", format, one_of({"mahimahi"})),
                     required("file", trace, file, "the path of a mahimahi trace")});
  return trace;
}

void read_jitter(const Field& block, JitterModel& jitter) {
  const auto distribution = meaning_of<JitterDistribution>(
      {{"normal", JitterDistribution::normal}, {"pareto", JitterDistribution::pareto}});
  read_block(block, {into("stddev", jitter.stddev, time_between(0s, delay_max)),
                     into("distribution", jitter.distribution, distribution),
                     into("reorder", jitter.reorder, boolean)});
}

/// Means beyond what its bursts allow would need good periods of less than one packet.
void check_gilbert_elliott(const Field& block, const GilbertElliott& loss) {
  const double mean_max = loss.burst / (loss.burst + 1);
  if (loss.mean <= 0 || loss.mean > mean_max) {
    block.fail(fmt::format("a mean of {} in bursts of {}", loss.mean, loss.burst),
               fmt::format("a mean above 0, at most burst / (burst + 1) = {:.3g}", mean_max));
  }
}

GilbertElliott read_gilbert_elliott(const Field& block) {
  GilbertElliott loss;
  read_block(block, {required("mean", loss.mean, loss_fraction, "the fraction lost, such as 2%"),
                     required("burst", loss.burst, number_between(1, 10'000),
                              "the mean length of a burst in packets, from 1")});
  check_gilbert_elliott(block, loss);
  return loss;
}

LossModel read_loss(const Field& field) {
  if (field.node->kind == Node::Kind::map) {
    GilbertElliott loss;
    read_one_of(field, {into("gilbert_elliott", loss, read_gilbert_elliott)});
    return loss;
  }
  const double probability = loss_fraction(field);
  if (probability == 0) return NoLoss{};
  return RandomLoss{probability};
}

QueueLimit read_queue(const Field& block) {
  QueueLimit queue;
  const auto packets = [](const Field& field) {
    return QueuePackets{integer_between<std::size_t>(1, 1'000'000)(field)};
  };
  const auto bytes = [](const Field& field) {
    return QueueBytes{read_size(field, {1}, queue_max)};
  };
  const auto time = [](const Field& field) { return QueueTime{read_time(field, 1ms, 60s)}; };
  read_one_of(block, {into("packets", queue, packets), into("bytes", queue, bytes),
                      into("time", queue, time)});
  return queue;
}

void check_queue(const Field& block, const LinkConfig& config) {
  const auto* queue = std::get_if<QueueBytes>(&config.queue);
  if (queue != nullptr && queue->limit.count < config.mtu) {
    block.fail(fmt::format("a queue of {} bytes", queue->limit.count),
               fmt::format("room for at least one packet of the mtu, {} bytes", config.mtu));
  }
}

Link read_link(const Field& block, const std::filesystem::path& folder,
               std::vector<std::string>& names) {
  Link link;
  read_direction(block, link.up, folder,
                 {required("name", link.name, unique_name(names), "a name for the link"),
                  into("cost", link.cost, integer_between<std::uint8_t>(0, 255)),
                  into("shared_bottleneck", link.shared_bottleneck, name), elsewhere("up"),
                  elsewhere("down")});
  link.down = link.up;
  if (const Node* up = block.node->find("up")) {
    read_direction(block.child("up", *up), link.up, folder);
  }
  if (const Node* down = block.node->find("down")) {
    read_direction(block.child("down", *down), link.down, folder);
  }
  return link;
}

}  // namespace

void read_direction(const Field& block, LinkConfig& config, const std::filesystem::path& folder,
                    std::vector<Key> keys) {
  keys.insert(keys.end(),
              {into("rate", config.capacity, rate),
               into("trace", config.capacity,
                    [&folder](const Field& field) { return read_trace(field, folder); }),
               into("delay", config.delay, time_between(0s, delay_max)),
               {"jitter", [&config](const Field& field) { read_jitter(field, config.jitter); }},
               into("loss", config.loss, read_loss),
               into("queue", config.queue, read_queue),
               into("mtu", config.mtu,
                    integer_between<std::uint16_t>(mtu_least, std::uint16_t{packet_max}))});
  if (block.node->find("rate") != nullptr && block.node->find("trace") != nullptr) {
    block.fail("both rate and trace", "one of them");
  }
  read_block(block, keys);
  check_queue(block, config);
}

std::vector<Link> read_links(const Field& list, const std::filesystem::path& folder) {
  std::vector<Link> links;
  std::vector<std::string> names;
  read_list(list, [&](const Field& item) { links.push_back(read_link(item, folder, names)); });
  if (links.empty() || links.size() > paths_max) {
    list.fail(fmt::format("{} links", links.size()), fmt::format("1 to {} links", paths_max));
  }
  return links;
}

}  // namespace sennit::yaml

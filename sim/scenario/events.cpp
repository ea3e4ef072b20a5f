// Events: each changes some keys of one link; what the simulator gets is the whole configuration
// that holds from then on. Two events that set the same key of the same direction at the same time
// would leave the winner to chance, so they are refused.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "sim/scenario/blocks.h"
#include "sim/scenario/scalars.h"

namespace sennit::yaml {
namespace {

struct Change {
  LinkEvent event;
  Field set;
  bool up = true, down = true;
};

LinkState read_state(const Field& field) {
  return meaning_of<LinkState>({{"up", LinkState::up},
                                {"blackhole", LinkState::blackhole},
                                {"carrier-down", LinkState::carrier_down}})(field);
}

Change read_change(const Field& block, const Scenario& scenario) {
  Change change;
  std::string direction = "both";
  const auto read_set = [](const Field& field) {
    if (field.node->entries.empty()) field.fail("a block with the keys to change");
    return field;
  };
  read_block(block, {required("at", change.event.at, time_before(scenario.duration, "the duration"),
                              "the time of the event"),
                     required("link", change.event.link, one_of(names_of(scenario.links)),
                              "the name of a link"),
                     required("set", change.set, read_set, "the keys to change"),
                     into("direction", direction, one_of({"up", "down"}))});
  change.up = direction != "down";
  change.down = direction != "up";
  change.event.text = block.node->flow();
  return change;
}

/// Remembers what was set when, and refuses to set it again.
class Contradictions {
 public:
  void refuse(const Change& change) {
    std::set<Setting> now;  // a change may itself have a key for both directions and for one
    for (const Entry& entry : change.set.node->entries) {
      if (entry.key == "up" || entry.key == "down") {
        for (const Entry& inner : entry.value.entries) add(now, change, inner.key, entry.key);
      } else {
        if (change.up) add(now, change, entry.key, "up");
        if (change.down) add(now, change, entry.key, "down");
      }
    }
    settings_.merge(now);
    if (now.empty()) return;  // what could not be merged was there before
    change.set.fail(fmt::format("'{}' of {}, which another event sets at the same time",
                                std::get<3>(*now.begin()), change.event.link),
                    "one event for a key, link and time");
  }

 private:
  using Setting = std::tuple<Duration, std::string, std::string, std::string>;

  static void add(std::set<Setting>& into, const Change& change, const std::string& key,
                  const std::string& direction) {
    const std::string what = key == "trace" ? "rate" : key;  // both set the capacity
    into.emplace(change.event.at, change.event.link, direction, what);
  }
  std::set<Setting> settings_;
};

/// Puts the change on top of what holds for one direction of its link.
void apply(const Change& change, const std::string& direction, LinkConfig& config,
           const std::filesystem::path& folder) {
  const bool both = change.up && change.down;
  std::vector<Key> keys{into("state", config.state, read_state)};
  std::vector<Key> all = keys;
  if (both) all.insert(all.end(), {elsewhere("up"), elsewhere("down")});
  read_direction(change.set, config, folder, all);
  const Node* own = both ? change.set.node->find(direction) : nullptr;
  if (own != nullptr) read_direction(change.set.child(direction, *own), config, folder, keys);
}

}  // namespace

std::vector<LinkEvent> read_events(const Field& list, const Scenario& so_far) {
  std::vector<Change> changes;
  Contradictions contradictions;
  read_list(list, [&](const Field& item) {
    changes.push_back(read_change(item, so_far));
    contradictions.refuse(changes.back());
  });
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.event.at < b.event.at; });
  std::vector<Link> links = so_far.links;
  std::vector<LinkEvent> events;
  for (Change& change : changes) {
    const auto link = std::find_if(links.begin(), links.end(),
                                   [&](const Link& one) { return one.name == change.event.link; });
    if (change.up) apply(change, "up", link->up, so_far.file.parent_path());
    if (change.down) apply(change, "down", link->down, so_far.file.parent_path());
    change.event.up = link->up;
    change.event.down = link->down;
    events.push_back(std::move(change.event));
  }
  return events;
}

}  // namespace sennit::yaml

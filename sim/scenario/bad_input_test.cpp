// Every way in which a scenario file can be wrong that we know of, each with the whole message that
// its author will read. The text of a case comes first in the file, so that its lines count from 1;
// what a scenario needs beside it is added below.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/scenario/blocks.h"

namespace sennit {
namespace {

struct Bad {
  const char* what;     // a test's name
  const char* yaml;     // the wrong block
  const char* message;  // after "bad.yaml:"
};

bool has_block(const std::string& yaml, const std::string& key) {
  return yaml.starts_with(key + ":") || yaml.find("\n" + key + ":") != std::string::npos;
}

/// The case with whatever it lacks.
std::string completed(const std::string& yaml) {
  const std::vector<std::pair<std::string, std::string>> blocks{
      {"name", "name: bad\n"},
      {"duration", "duration: 10s\n"},
      {"links", "links: [{name: lte-a, rate: 10mbit}, {name: lte-b, rate: 5mbit}]\n"},
      {"traffic", "traffic: [{name: call, kind: voip}, {name: load, kind: tcp}]\n"}};
  std::string text = yaml;
  for (const auto& [key, block] : blocks) {
    if (!has_block(yaml, key)) text += "\n" + block;
  }
  return text;
}

/// The message that reading `text` ends with; "" when there is none.
std::string message_of(const std::string& text, const std::filesystem::path& file) {
  try {
    yaml::read_scenario(text, file, {});
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

class BadInput : public testing::TestWithParam<Bad> {};

TEST_P(BadInput, is_refused_with_line_key_found_and_allowed) {
  const std::string text = completed(GetParam().yaml);
  EXPECT_EQ(message_of(text, "bad.yaml"), std::string("bad.yaml:") + GetParam().message) << text;
}

const Bad whole_file[] = {
    {"an_unknown_block", "trafic: []",
     "1: trafic: found unknown key 'trafic' (did you mean 'traffic'?); allowed: name, description, "
     "duration, warmup, seed, links, traffic, tunnel, variants, events, expect"},
    {"a_key_without_resemblance", "zzz: 1",
     "1: zzz: found unknown key 'zzz'; allowed: name, description, duration, warmup, seed, links, "
     "traffic, tunnel, variants, events, expect"},
    {"a_block_twice", "seed: 1\nseed: 2",
     "2: seed: found the same key twice; allowed: each key once"},
    {"a_syntax_error", "seed: [1",
     "2: found a syntax error (end of sequence flow not found); allowed: valid YAML"},
    {"two_documents", "seed: 1\n---\nseed: 2",
     "2: found more after the end of the document; allowed: one document"},
    {"a_stray_bracket", "seed: 1\n}\nduration: 2s",
     "2: found a syntax error (illegal flow end); allowed: valid YAML"},
    {"text_before_the_first_key", ", yardstick",
     "1: found more after the end of the document; allowed: one document"},
    {"a_key_that_is_a_list", "[a, b]: 1", "1: found a key that is no word; allowed: words as keys"},
    {"an_alias_to_itself", "links: &a [*a]",
     "1: found an alias within what it stands for; allowed: an alias of what is complete"},
    {"too_deep_a_file", "links: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
     "1: found blocks within blocks without end; allowed: 32 levels"},
    {"aliases_of_aliases",
     "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c "
     "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: "
     "[*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]",
     "4: found too much; allowed: 100000 values"},
    {"a_name_unfit_for_a_path", "name: ../etc",
     "1: name: found '../etc'; allowed: a name of at most 64 letters, digits, - and _, a letter or "
     "digit first"},
    {"a_name_with_a_dot", "name: a.b",
     "1: name: found 'a.b'; allowed: a name of at most 64 letters, digits, - and _, a letter or "
     "digit first"},
    {"a_description_that_is_a_block", "description: {a: b}",
     "1: description: found a block of keys; allowed: a text"},
    {"a_duration_without_unit", "duration: 60",
     "1: duration: found '60'; allowed: a time from 1ms to 86400s in us, ms, s or min"},
    {"a_duration_of_nothing", "duration: 0s",
     "1: duration: found '0s'; allowed: a time from 1ms to 86400s in us, ms, s or min"},
    {"an_empty_duration", "duration:",
     "1: duration: found nothing; allowed: a time from 1ms to 86400s in us, ms, s or min"},
    {"a_warmup_as_long_as_the_run", "warmup: 10s",
     "1: warmup: found '10s'; allowed: a time from 0s to before the duration (10s) in us, ms, s or "
     "min"},
    {"a_negative_seed", "seed: -1",
     "1: seed: found '-1'; allowed: a whole number from 0 to 9223372036854775807"},
    {"a_seed_that_is_no_number", "seed: lucky",
     "1: seed: found 'lucky'; allowed: a whole number from 0 to 9223372036854775807"},
};
INSTANTIATE_TEST_SUITE_P(WholeFile, BadInput, testing::ValuesIn(whole_file),
                         [](const auto& test) { return std::string(test.param.what); });

const Bad links[] = {
    {"no_links", "links: []", "1: links: found 0 links; allowed: 1 to 16 links"},
    {"links_that_are_no_list", "links: 3", "1: links: found '3'; allowed: a list"},
    {"too_many_links",
     "links: [{name: a1}, {name: a2}, {name: a3}, {name: a4}, {name: a5}, {name: a6}, {name: a7}, "
     "{name: a8}, {name: a9}, {name: b1}, {name: b2}, {name: b3}, {name: b4}, {name: b5}, {name: "
     "b6}, {name: b7}, {name: b8}]",
     "1: links: found 17 links; allowed: 1 to 16 links"},
    {"a_link_without_name", "links:\n  - rate: 5mbit",
     "2: links[0].name: found nothing; allowed: a name for the link"},
    {"a_link_that_is_a_word", "links:\n  - lte-a",
     "2: links[0]: found 'lte-a'; allowed: a block with the keys name, cost, shared_bottleneck, "
     "up, down, rate, trace, delay, jitter, loss, queue, mtu"},
    {"a_link_named_twice", "links:\n  - {name: x}\n  - {name: x}",
     "3: links[1].name: found 'x' a second time; allowed: each name once"},
    {"an_unknown_key_of_a_link", "links:\n  - name: x\n    dely: 5ms",
     "3: links[0].dely: found unknown key 'dely' (did you mean 'delay'?); allowed: name, cost, "
     "shared_bottleneck, up, down, rate, trace, delay, jitter, loss, queue, mtu"},
    {"an_unknown_key_of_a_direction", "links:\n  - name: x\n    up: {cost: 3}",
     "3: links[0].up.cost: found unknown key 'cost'; allowed: rate, trace, delay, jitter, loss, "
     "queue, mtu"},
    {"a_negative_rate", "links:\n  - {name: x, rate: -5mbit}",
     "2: links[0].rate: found '-5mbit'; allowed: a positive rate such as 40mbit, 300kbit or "
     "1.5gbit"},
    {"a_rate_of_zero", "links:\n  - {name: x, rate: 0mbit}",
     "2: links[0].rate: found '0mbit'; allowed: a positive rate such as 40mbit, 300kbit or "
     "1.5gbit"},
    {"a_rate_without_unit", "links:\n  - {name: x, rate: 40}",
     "2: links[0].rate: found '40'; allowed: a positive rate such as 40mbit, 300kbit or 1.5gbit"},
    {"a_rate_in_another_unit", "links:\n  - {name: x, rate: 40mbps}",
     "2: links[0].rate: found '40mbps'; allowed: a positive rate such as 40mbit, 300kbit or "
     "1.5gbit"},
    {"an_infinite_rate", "links:\n  - {name: x, rate: infmbit}",
     "2: links[0].rate: found 'infmbit'; allowed: a positive rate such as 40mbit, 300kbit or "
     "1.5gbit"},
    {"a_rate_that_is_a_list", "links:\n  - {name: x, rate: [1mbit]}",
     "2: links[0].rate: found a list; allowed: a positive rate such as 40mbit, 300kbit or 1.5gbit"},
    {"a_negative_delay", "links:\n  - {name: x, delay: -1ms}",
     "2: links[0].delay: found '-1ms'; allowed: a time from 0s to 10s in us, ms, s or min"},
    {"an_impossible_delay", "links:\n  - {name: x, delay: 3min}",
     "2: links[0].delay: found '3min'; allowed: a time from 0s to 10s in us, ms, s or min"},
    {"a_delay_in_the_unit_of_a_rate", "links:\n  - {name: x, down: {delay: 3mbit}}",
     "2: links[0].down.delay: found '3mbit'; allowed: a time from 0s to 10s in us, ms, s or min"},
    {"a_jitter_that_is_a_time", "links:\n  - {name: x, jitter: 5ms}",
     "2: links[0].jitter: found '5ms'; allowed: a block with the keys stddev, distribution, "
     "reorder"},
    {"an_unknown_distribution", "links:\n  - {name: x, jitter: {distribution: gauss}}",
     "2: links[0].jitter.distribution: found 'gauss'; allowed: normal, pareto"},
    {"a_reorder_that_is_no_boolean", "links:\n  - {name: x, jitter: {reorder: yes}}",
     "2: links[0].jitter.reorder: found 'yes'; allowed: true or false"},
    {"a_loss_of_everything", "links:\n  - {name: x, loss: 100%}",
     "2: links[0].loss: found '100%'; allowed: a fraction or percentage from 0 to below 1, such as "
     "0.005 or 0.5%"},
    {"a_negative_loss", "links:\n  - {name: x, loss: -0.1}",
     "2: links[0].loss: found '-0.1'; allowed: a fraction or percentage from 0 to below 1, such as "
     "0.005 or 0.5%"},
    {"an_unknown_loss_model", "links:\n  - {name: x, loss: {gilbert: {mean: 1%, burst: 2}}}",
     "2: links[0].loss.gilbert: found unknown key 'gilbert'; allowed: gilbert_elliott"},
    {"no_loss_model", "links:\n  - {name: x, loss: {}}",
     "2: links[0].loss: found 0 keys; allowed: exactly one of gilbert_elliott"},
    {"bursts_without_mean", "links:\n  - {name: x, loss: {gilbert_elliott: {burst: 2}}}",
     "2: links[0].loss.gilbert_elliott.mean: found nothing; allowed: the fraction lost, such as "
     "2%"},
    {"a_burst_below_a_packet",
     "links:\n  - {name: x, loss: {gilbert_elliott: {mean: 1%, burst: 0.5}}}",
     "2: links[0].loss.gilbert_elliott.burst: found '0.5'; allowed: a number from 1 to 10000"},
    {"more_loss_than_bursts_allow",
     "links:\n  - {name: x, loss: {gilbert_elliott: {mean: 60%, burst: 1}}}",
     "2: links[0].loss.gilbert_elliott: found a mean of 0.6 in bursts of 1; allowed: a mean above "
     "0, at most burst / (burst + 1) = 0.5"},
    {"bursts_without_loss", "links:\n  - {name: x, loss: {gilbert_elliott: {mean: 0%, burst: 3}}}",
     "2: links[0].loss.gilbert_elliott: found a mean of 0 in bursts of 3; allowed: a mean above 0, "
     "at most burst / (burst + 1) = 0.75"},
    {"a_queue_of_two_limits", "links:\n  - {name: x, queue: {packets: 10, time: 5ms}}",
     "2: links[0].queue: found 2 keys; allowed: exactly one of packets, bytes, time"},
    {"a_queue_that_is_a_number", "links:\n  - {name: x, queue: 100}",
     "2: links[0].queue: found '100'; allowed: a block with the keys packets, bytes, time"},
    {"a_queue_of_no_packets", "links:\n  - {name: x, queue: {packets: 0}}",
     "2: links[0].queue.packets: found '0'; allowed: a whole number from 1 to 1000000"},
    {"a_size_without_unit", "links:\n  - {name: x, queue: {bytes: 65536}}",
     "2: links[0].queue.bytes: found '65536'; allowed: a size from 1B to 1024MiB in B, kB, MB, KiB "
     "or MiB"},
    {"a_queue_below_a_packet", "links:\n  - {name: x, queue: {bytes: 1000B}}",
     "2: links[0]: found a queue of 1000 bytes; allowed: room for at least one packet of the mtu, "
     "1500 bytes"},
    {"an_mtu_below_ip", "links:\n  - {name: x, mtu: 100}",
     "2: links[0].mtu: found '100'; allowed: a whole number from 576 to 2048"},
    {"a_cost_beyond_a_byte", "links:\n  - {name: x, cost: 256}",
     "2: links[0].cost: found '256'; allowed: a whole number from 0 to 255"},
    {"a_shared_bottleneck_without_name", "links:\n  - {name: x, shared_bottleneck: ''}",
     "2: links[0].shared_bottleneck: found ''; allowed: a name of at most 64 letters, digits, - "
     "and _, a letter or digit first"},
    {"both_rate_and_trace", "links:\n  - {name: x, rate: 1mbit, trace: {file: good.down}}",
     "2: links[0]: found both rate and trace; allowed: one of them"},
    {"a_trace_without_file", "links:\n  - {name: x, trace: {format: mahimahi}}",
     "2: links[0].trace.file: found nothing; allowed: the path of a mahimahi trace"},
    {"a_trace_of_another_format", "links:\n  - {name: x, trace: {file: good.down, format: pcap}}",
     "2: links[0].trace.format: found 'pcap'; allowed: mahimahi"},
    {"a_trace_that_is_not_there", "links:\n  - {name: x, down: {trace: {file: no.down}}}",
     "2: links[0].down.trace.file: found 'no.down', which cannot be read; allowed: a mahimahi "
     "trace (one time in ms per line, never falling), its path relative to this file"},
};
INSTANTIATE_TEST_SUITE_P(Links, BadInput, testing::ValuesIn(links),
                         [](const auto& test) { return std::string(test.param.what); });

const Bad traffic[] = {
    {"an_unknown_kind", "traffic:\n  - {name: x, kind: udp}",
     "2: traffic[0].kind: found 'udp'; allowed: tcp, cbr, voip, video, web"},
    {"no_kind", "traffic:\n  - {name: x}",
     "2: traffic[0].kind: found nothing; allowed: tcp, cbr, voip, video, web"},
    {"no_name", "traffic:\n  - {kind: tcp}",
     "2: traffic[0].name: found nothing; allowed: a name for the source"},
    {"a_source_named_twice", "traffic:\n  - {name: x, kind: tcp}\n  - {name: x, kind: voip}",
     "3: traffic[1].name: found 'x' a second time; allowed: each name once"},
    {"a_key_of_another_kind", "traffic:\n  - {name: x, kind: voip, rate: 1mbit}",
     "2: traffic[0].rate: found unknown key 'rate'; allowed: name, kind, from, to, start, stop, "
     "dscp"},
    {"a_flow_to_itself", "traffic:\n  - {name: x, kind: tcp, from: a, to: a}",
     "2: traffic[0].to: found 'a'; allowed: b, the other end than `from`"},
    {"a_flow_to_nowhere", "traffic:\n  - {name: x, kind: tcp, to: c}",
     "2: traffic[0].to: found 'c'; allowed: a, b"},
    {"a_start_after_the_end", "traffic:\n  - {name: x, kind: tcp, start: 10s}",
     "2: traffic[0].start: found '10s'; allowed: a time from 0s to before the duration (10s) in "
     "us, ms, s or min"},
    {"a_stop_before_the_start", "traffic:\n  - {name: x, kind: tcp, start: 5s, stop: 4s}",
     "2: traffic[0].stop: found '4s'; allowed: a time after the start at 5s"},
    {"an_unknown_congestion_control",
     "traffic:\n  - {name: x, kind: tcp, congestion_control: cubik}",
     "2: traffic[0].congestion_control: found 'cubik' (did you mean 'cubic'?); allowed: cubic, "
     "newreno, bbr"},
    {"no_flows", "traffic:\n  - {name: x, kind: tcp, flows: 0}",
     "2: traffic[0].flows: found '0'; allowed: a whole number from 1 to 1000"},
    {"half_a_flow", "traffic:\n  - {name: x, kind: tcp, flows: 1.5}",
     "2: traffic[0].flows: found '1.5'; allowed: a whole number from 1 to 1000"},
    {"a_packet_beyond_the_mtu", "traffic:\n  - {name: x, kind: cbr, size: 9000}",
     "2: traffic[0].size: found '9000'; allowed: a whole number from 64 to 1500"},
    {"a_page_without_unit", "traffic:\n  - {name: x, kind: web, size: 9000}",
     "2: traffic[0].size: found '9000'; allowed: a size from 1B to 102400MiB in B, kB, MB, KiB or "
     "MiB"},
    {"no_frames", "traffic:\n  - {name: x, kind: video, fps: 0}",
     "2: traffic[0].fps: found '0'; allowed: a whole number from 1 to 240"},
    {"a_deadline_of_nothing", "traffic:\n  - {name: x, kind: video, deadline: 0ms}",
     "2: traffic[0].deadline: found '0ms'; allowed: a time from 1ms to 60s in us, ms, s or min"},
    {"an_unknown_code_point", "traffic:\n  - {name: x, kind: cbr, dscp: af44}",
     "2: traffic[0].dscp: found 'af44'; allowed: a code point such as ef, cs5 or af41, or a number "
     "from 0 to 63"},
};
INSTANTIATE_TEST_SUITE_P(Traffic, BadInput, testing::ValuesIn(traffic),
                         [](const auto& test) { return std::string(test.param.what); });

const Bad tunnel[] = {
    {"an_unknown_key_of_the_tunnel", "tunnel: {schedular: {}}",
     "1: tunnel.schedular: found unknown key 'schedular' (did you mean 'scheduler'?); allowed: "
     "scheduler, fec, classes, rules, probe_interval, path_down_after, queue_target_min, "
     "queue_target_max, trace_packets"},
    {"a_tunnel_that_is_a_word", "tunnel: default",
     "1: tunnel: found 'default'; allowed: a block with the keys scheduler, fec, classes, rules, "
     "probe_interval, path_down_after, queue_target_min, queue_target_max, trace_packets"},
    {"weights_of_an_unknown_link", "tunnel: {scheduler: {weights: {lte-c: 2}}}",
     "1: tunnel.scheduler.weights.lte-c: found 'lte-c' (did you mean 'lte-a'?); allowed: lte-a, "
     "lte-b"},
    {"a_weight_of_zero", "tunnel: {scheduler: {weights: {lte-a: 0}}}",
     "1: tunnel.scheduler.weights.lte-a: found '0'; allowed: a number from 0.001 to 1000"},
    {"an_unknown_code", "tunnel: {fec: {code: reedsolomon}}",
     "1: tunnel.fec.code: found 'reedsolomon' (did you mean 'reed-solomon'?); allowed: none, "
     "parity, reed-solomon, sliding-rlc"},
    {"too_long_a_block", "tunnel: {fec: {source: 65}}",
     "1: tunnel.fec.source: found '65'; allowed: a whole number from 1 to 64"},
    {"an_overhead_above_one", "tunnel: {fec: {overhead_max: 150%}}",
     "1: tunnel.fec.overhead_max: found '150%'; allowed: a fraction or percentage from 0.01 to 1"},
    {"a_misspelt_class", "tunnel:\n  classes:\n    realtme: {duplicate: true}",
     "3: tunnel.classes.realtme: found a new class 'realtme' without base; allowed: realtime, "
     "interactive, bulk, or a new class with `base:` one of them"},
    {"a_base_that_is_not_there", "tunnel:\n  classes:\n    backup: {base: bulky}",
     "3: tunnel.classes.backup.base: found 'bulky' (did you mean 'bulk'?); allowed: realtime, "
     "interactive, bulk"},
    {"a_base_of_a_class_that_exists", "tunnel: {classes: {bulk: {base: realtime}}}",
     "1: tunnel.classes.bulk.base: found unknown key 'base'; allowed: priority, realtime, ordered, "
     "latency_budget, hold_max, codel_target, reinject, duplicate, links, rate_max, fec"},
    {"a_class_unfit_for_a_path", "tunnel: {classes: {a/b: {base: bulk}}}",
     "1: tunnel.classes.a/b: found 'a/b'; allowed: a name of at most 64 letters, digits, - and _, "
     "a letter or digit first"},
    {"too_many_classes",
     "tunnel: {classes: {c3: {base: bulk}, c4: {base: bulk}, c5: {base: bulk}, c6: {base: bulk}, "
     "c7: {base: bulk}, c8: {base: bulk}}}",
     "1: tunnel.classes.c8: found one more class; allowed: 8 classes at most"},
    {"a_class_over_an_unknown_link", "tunnel: {classes: {bulk: {links: [lte-a, fibre]}}}",
     "1: tunnel.classes.bulk.links[1]: found 'fibre'; allowed: lte-a, lte-b"},
    {"a_rule_for_an_unknown_class", "tunnel: {rules: [{protocol: udp, class: voice}]}",
     "1: tunnel.rules[0].class: found 'voice'; allowed: realtime, interactive, bulk"},
    {"a_rule_without_class", "tunnel: {rules: [{protocol: udp}]}",
     "1: tunnel.rules[0].class: found nothing; allowed: realtime, interactive, bulk"},
    {"a_prefix_with_host_bits", "tunnel: {rules: [{source: 10.0.0.1/8, class: bulk}]}",
     "1: tunnel.rules[0].source: found '10.0.0.1/8'; allowed: a prefix without host bits such as "
     "10.0.0.0/8 or 2001:db8::/32, or one address"},
    {"too_long_a_prefix", "tunnel: {rules: [{destination: 10.0.0.0/33, class: bulk}]}",
     "1: tunnel.rules[0].destination: found '10.0.0.0/33'; allowed: a prefix without host bits "
     "such as 10.0.0.0/8 or 2001:db8::/32, or one address"},
    {"an_unknown_protocol", "tunnel: {rules: [{protocol: quic, class: bulk}]}",
     "1: tunnel.rules[0].protocol: found 'quic'; allowed: udp, tcp, icmp, icmpv6 or a protocol "
     "number from 0 to 255"},
    {"ports_that_run_backwards", "tunnel: {rules: [{source_port: 20-10, class: bulk}]}",
     "1: tunnel.rules[0].source_port: found '20-10'; allowed: a port or range such as 5000 or "
     "5000-5010"},
    {"ports_of_icmp", "tunnel: {rules: [{protocol: icmp, source_port: 20, class: bulk}]}",
     "1: tunnel.rules[0]: found ports of protocol 1; allowed: ports with udp, tcp or no protocol"},
    {"what_only_the_core_finds", "tunnel: {queue_target_min: 30ms, queue_target_max: 10ms}",
     "1: tunnel: queue_target_min: found 30ms; allowed: up to queue_target_max (10ms)"},
};
INSTANTIATE_TEST_SUITE_P(Tunnel, BadInput, testing::ValuesIn(tunnel),
                         [](const auto& test) { return std::string(test.param.what); });

const Bad variants[] = {
    {"no_name", "variants:\n  - {links: [lte-a]}",
     "2: variants[0].name: found nothing; allowed: a name for the variant"},
    {"a_second_default", "variants:\n  - {name: default}",
     "2: variants[0].name: found 'default' a second time; allowed: each name once"},
    {"an_unknown_link", "variants:\n  - {name: x, links: [lte-d]}",
     "2: variants[0].links[0]: found 'lte-d' (did you mean 'lte-a'?); allowed: lte-a, lte-b"},
    {"no_link", "variants:\n  - {name: x, links: []}",
     "2: variants[0].links: found no link; allowed: at least one link"},
    {"a_link_twice", "variants:\n  - {name: x, links: [lte-a, lte-a]}",
     "2: variants[0].links[1]: found 'lte-a' a second time; allowed: each name once"},
    {"a_wrong_tunnel", "variants:\n  - name: x\n    tunnel: {probe_interval: 1h}",
     "3: variants[0].tunnel.probe_interval: found '1h'; allowed: a time from 5ms to 60s in us, ms, "
     "s or min"},
};
INSTANTIATE_TEST_SUITE_P(Variants, BadInput, testing::ValuesIn(variants),
                         [](const auto& test) { return std::string(test.param.what); });

const Bad events[] = {
    {"an_unknown_link", "events:\n  - {at: 1s, link: lte, set: {state: up}}",
     "2: events[0].link: found 'lte'; allowed: lte-a, lte-b"},
    {"after_the_end", "events:\n  - {at: 10s, link: lte-a, set: {state: up}}",
     "2: events[0].at: found '10s'; allowed: a time from 0s to before the duration (10s) in us, "
     "ms, s or min"},
    {"no_time", "events:\n  - {link: lte-a, set: {state: up}}",
     "2: events[0].at: found nothing; allowed: the time of the event"},
    {"no_change", "events:\n  - {at: 1s, link: lte-a, set: {}}",
     "2: events[0].set: found a block of keys; allowed: a block with the keys to change"},
    {"an_unknown_state", "events:\n  - {at: 1s, link: lte-a, set: {state: down}}",
     "2: events[0].set.state: found 'down'; allowed: up, blackhole, carrier-down"},
    {"a_key_that_no_event_changes", "events:\n  - {at: 1s, link: lte-a, set: {cost: 1}}",
     "2: events[0].set.cost: found unknown key 'cost'; allowed: state, up, down, rate, trace, "
     "delay, jitter, loss, queue, mtu"},
    {"a_direction_within_a_direction",
     "events:\n  - {at: 1s, link: lte-a, direction: up, set: {down: {loss: 1%}}}",
     "2: events[0].set.down: found unknown key 'down'; allowed: state, rate, trace, delay, jitter, "
     "loss, queue, mtu"},
    {"an_unknown_direction", "events:\n  - {at: 1s, link: lte-a, direction: left, set: {loss: 1%}}",
     "2: events[0].direction: found 'left'; allowed: up, down"},
    {"a_contradiction",
     "events:\n  - {at: 1s, link: lte-a, set: {loss: 1%}}\n  - {at: 1000ms, link: lte-a, set: "
     "{loss: 2%}}",
     "3: events[1].set: found 'loss' of lte-a, which another event sets at the same time; allowed: "
     "one event for a key, link and time"},
    {"a_contradiction_of_rate_and_trace",
     "events:\n  - {at: 1s, link: lte-a, set: {up: {rate: 1mbit}}}\n  - {at: 1s, link: lte-a, "
     "direction: up, set: {trace: {file: x}}}",
     "3: events[1].set: found 'rate' of lte-a, which another event sets at the same time; allowed: "
     "one event for a key, link and time"},
};
INSTANTIATE_TEST_SUITE_P(Events, BadInput, testing::ValuesIn(events),
                         [](const auto& test) { return std::string(test.param.what); });

const Bad expectations[] = {
    {"no_comparison", "expect: [aggregate.goodput_mbps]",
     "1: expect[0]: found 'aggregate.goodput_mbps'; allowed: a key of summary.json, one of >= <= > "
     "< ==, and a number: flows.call.owd_ms.p99 <= 60"},
    {"no_number", "expect: ['aggregate.goodput_mbps >= much']",
     "1: expect[0]: found 'aggregate.goodput_mbps >= much'; allowed: a key of summary.json, one of "
     ">= <= > < ==, and a number: flows.call.owd_ms.p99 <= 60"},
    {"an_unknown_comparison", "expect: [aggregate.goodput_mbps => 5]",
     "1: expect[0]: found 'aggregate.goodput_mbps => 5'; allowed: a key of summary.json, one of >= "
     "<= > < ==, and a number: flows.call.owd_ms.p99 <= 60"},
    {"an_unknown_part", "expect: [flow.call.mos >= 4]",
     "1: expect[0]: flow: found 'flow' (did you mean 'flows'?); allowed: links, flows, tunnel, "
     "aggregate, run"},
    {"an_unknown_flow", "expect:\n  - flows.cal.mos >= 4",
     "2: expect[0]: flows.cal: found 'cal' (did you mean 'call'?); allowed: call, load"},
    {"an_unknown_link", "expect:\n  - links.lte-c.up.loss_ratio <= 1",
     "2: expect[0]: links.lte-c: found 'lte-c' (did you mean 'lte-a'?); allowed: lte-a, lte-b"},
    {"a_key_of_another_kind_of_flow", "expect: [flows.load.mos >= 4]",
     "1: expect[0]: flows.load.mos: found 'mos'; allowed: goodput_mbps, owd_ms, jitter_ms, "
     "loss_ratio, reordered_ratio, longest_gap_ms, completion_s"},
    {"a_key_that_goes_on", "expect: [flows.call.owd_ms <= 4]",
     "1: expect[0]: flows.call.owd_ms: found no single number; allowed: a key below it: p50, p95, "
     "p99, max"},
    {"a_key_that_ended", "expect: [flows.call.mos.p99 <= 4]",
     "1: expect[0]: flows.call.mos.p99: found 'p99'; allowed: nothing, as there is none"},
    {"an_unknown_end", "expect: [tunnel.c.reinjected >= 1]",
     "1: expect[0]: tunnel.c: found 'c'; allowed: a, b"},
    {"an_unknown_backend", "expect:\n  - {backend: mininet, require: flows.call.mos >= 4}",
     "2: expect[0].backend: found 'mininet'; allowed: ns3, netem, emulator"},
    {"an_unknown_variant", "expect:\n  - {variant: x, require: flows.call.mos >= 4}",
     "2: expect[0].variant: found 'x'; allowed: default"},
    {"nothing_required", "expect:\n  - {backend: ns3}",
     "2: expect[0].require: found nothing; allowed: a comparison"},
};
INSTANTIATE_TEST_SUITE_P(Expectations, BadInput, testing::ValuesIn(expectations),
                         [](const auto& test) { return std::string(test.param.what); });

TEST(BadScenario, unknown_scheduler_is_refused_with_all_that_exist) {
  const std::string message =
      message_of(completed("tunnel:\n  scheduler: {algorithm: min-rt}"), "bad.yaml");
  EXPECT_TRUE(
      message.starts_with("bad.yaml:2: tunnel.scheduler.algorithm: found 'min-rt' (did you mean "
                          "'min-rtt'?); allowed: earliest-arrival, "))
      << message;
}

TEST(BadScenario, malformed_trace_is_named_with_its_line) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "sennit-malformed-trace";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "x.down") << "1\n5\n3\n";
  const std::string message =
      message_of(completed("links:\n  - {name: x, trace: {file: x.down}}"), folder / "bad.yaml");
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(message.starts_with((folder / "bad.yaml").string() +
                                  ":2: links[0].trace.file: found 'x.down' with line 3: "))
      << message;
}

TEST(BadScenario, missing_file_and_folder_are_refused) {
  const auto message = [](const std::string& file) -> std::string {
    try {
      load_scenario(file);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  const std::string allowed =
      ": found no file that can be read; allowed: the path of a scenario file";
  EXPECT_EQ(message("nowhere/x.yaml"), "nowhere/x.yaml" + allowed);
  EXPECT_EQ(message(testing::TempDir()), testing::TempDir() + allowed);
}

TEST(BadScenario, empty_file_lacks_a_name) {
  EXPECT_EQ(message_of("", "bad.yaml"),
            "bad.yaml:1: name: found nothing; allowed: a name for the scenario");
}

TEST(BadScenario, daemon_block_names_the_callers_file) {
  try {
    load_tunnel_config("scheduler:\n  spread_max: 9s\n", "edge.yaml");
    FAIL() << "9 s were accepted";
  } catch (const InputError& e) {
    EXPECT_STREQ(e.what(),
                 "edge.yaml:2: tunnel.scheduler.spread_max: found '9s'; allowed: a time from 0s to "
                 "2s in us, ms, s or min");
  }
}

}  // namespace
}  // namespace sennit

// sennitctl: keys, a look at a configuration, and a running daemon.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "real/config/edge_config.h"
#include "real/config/keys.h"
#include "real/ctl/client.h"
#include "real/ctl/tables.h"
#include "real/daemon/fd.h"
#include "sim/scenario/input_error.h"

namespace {

using namespace sennit;

enum ExitStatus { success = 0, failed = 1, bad_input = 2 };

void write_key_file(const std::string& file, const TunnelKey& key) {
  const Fd fd{open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  const std::string text = to_base64(key) + "\n";
  if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    fail_with_errno("write a new file " + file);
  }
}

void keygen(const std::string& file) {
  const TunnelKey key = new_private_key();
  if (file.empty()) {
    std::cout << "private_key: " << to_base64(key) << "\npublic_key: ";
  } else {
    write_key_file(file, key);
  }
  std::cout << to_base64(public_key_of(key)) << '\n';
}

void check(const std::string& file) {
  const EdgeConfig config = load_edge_config(file);
  std::cout << file << ": good; own public key " << to_base64(public_key_of(config.private_key))
            << '\n';
  for (const Peer& peer : config.peers) {
    std::cout << "peer " << peer.name << ": " << peer.paths.size() << " paths:";
    for (const PathPlan& path : peer.paths) std::cout << ' ' << path.name;
    std::cout << '\n';
  }
}

struct Options {
  std::string file, name, wanted, socket = default_control_socket;
  bool as_json = false;
};

using Text = std::function<std::string(const nlohmann::json&)>;

void show_status(const Options& options, const Text& text) {
  const nlohmann::json status = ask_daemon(options.socket, {{"command", "status"}});
  std::cout << (options.as_json ? status.dump(2) + "\n" : text(status));
}

void set_path(const Options& options) {
  ask_daemon(options.socket,
             {{"command", "path"}, {"name", options.name}, {"wanted", options.wanted}});
}

void add_offline_commands(CLI::App& app, Options& options) {
  auto* keys = app.add_subcommand("keygen", "a new private key, and its public key");
  keys->add_option("FILE", options.file, "write the private key there, and print the public one");
  keys->callback([&] { keygen(options.file); });
  auto* config = app.add_subcommand("config", "a daemon's configuration")->require_subcommand(1);
  auto* look = config->add_subcommand("check", "read it, and change nothing");
  look->add_option("FILE", options.file)->required();
  look->callback([&] { check(options.file); });
}

void add_status_command(CLI::App& app, Options& options, const char* name, const char* help,
                        Text text) {
  auto* command = app.add_subcommand(name, help);
  command->add_flag("--json", options.as_json, "everything, for other programs");
  command->callback([&options, text] { show_status(options, text); });
}

void add_path_command(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand("path", "take a path out of use, or back into it");
  command->add_option("WANTED", options.wanted)->required()->check(CLI::IsMember({"up", "down"}));
  command->add_option("NAME", options.name)->required();
  command->callback([&] { set_path(options); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Controls sennitd."};
  Options options;
  app.require_subcommand(1);
  app.add_option("-s,--socket", options.socket, "the daemon's control socket")
      ->capture_default_str();
  add_offline_commands(app, options);
  add_status_command(app, options, "status", "the tunnel and its paths", status_text);
  add_status_command(app, options, "paths", "only the paths", paths_text);
  add_status_command(app, options, "counters", "packets, and why some died", counters_text);
  add_path_command(app, options);
  try {
    app.parse(argc, argv);
    return success;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : bad_input;
  } catch (const InputError& error) {
    std::cerr << "sennitctl: " << error.what() << '\n';
    return bad_input;
  } catch (const std::exception& error) {
    std::cerr << "sennitctl: " << error.what() << '\n';
    return failed;
  }
}

// sennitd: one end of the tunnel on this machine.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "real/daemon/daemon.h"
#include "sim/scenario/input_error.h"

namespace {

enum ExitStatus { success = 0, failed = 1, bad_input = 2 };

int run(const std::string& file) {
  using namespace sennit;
  try {
    Daemon daemon(load_edge_config(file), file);
    daemon.run();
    return success;
  } catch (const InputError& error) {
    std::cerr << "sennitd: " << error.what() << '\n';
    return bad_input;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return failed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Bonds this machine's WAN links into one encrypted tunnel."};
  std::string file = "/etc/sennit/edge.yaml";
  std::string level = "info";
  app.add_option("-c,--config", file, "the configuration (docs/configuration.md)")
      ->capture_default_str();
  app.add_option("--log", level, "what is told: debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : bad_input;
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("sennitd"));
  spdlog::set_level(spdlog::level::from_str(level));
  return run(file);
}

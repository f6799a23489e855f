#include "tools/cluster/flockd_process.hpp"

#include "tools/client/control_client.hpp"
#include "tools/cluster/files.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>

namespace flock::testing {

namespace {

namespace fs = std::filesystem;

/// One that takes longer to answer such a small question is asked again.
constexpr milliseconds one_try{2000};

}  // namespace

std::string find_program(const std::string& folder, const std::string& name) {
  if (!folder.empty()) return folder + "/" + name;
  std::error_code failed;
  const auto beside = fs::read_symlink("/proc/self/exe", failed).parent_path() / name;
  return fs::exists(beside, failed) ? beside.string() : name;
}

result<child> start_flockd(const cluster_folder& folder, std::string_view id, const std::string& programs,
                           bool outlives_us, const std::vector<std::string>& inside) {
  auto command = inside;
  command.insert(command.end(), {find_program(programs, "flockd"), "--config", folder.config(id)});
  return child::start({.command = std::move(command),
                       .environment = {},
                       .log = folder.log(id),
                       .outlives_us = outlives_us,
                       .without = "FLOCK_"});
}

result<void> wait_until_answers(const cluster_folder& folder, const std::string& id, child& process) {
  polling time(milliseconds(30'000));
  while (true) {
    auto answer = get_json(folder.socket(id), "/v1/status", one_try);
    if (answer) return {};
    if (auto status = process.wait(milliseconds(0))) return how_it_ended(folder, id, process, *status);
    if (!time.again())
      return error{error_code::timeout,
                   id + ": " + to_string(answer.error()) + "\n" + end_of_log(folder.log(id), process.log_begins())};
  }
}

error how_it_ended(const cluster_folder& folder, const std::string& id, const child& process, int status) {
  return {error_code::down, id + " ended with status " + std::to_string(status) + "\n" +
                                end_of_log(folder.log(id), process.log_begins())};
}

result<value> get_json(const std::string& socket, std::string_view target, milliseconds patience) {
  auto reply = control_client(socket).get(target, system_clock().now() + patience);
  if (!reply) return reply.error();
  auto body = from_json(reply->body, {.bytes = control_client::max_body});
  if (!body) return error{error_code::protocol, std::string(target) + ": " + body.error().what};
  if (reply->status < 300) return body;
  const auto* code = (*body)["error"]["code"].as_text();
  const auto* message = (*body)["error"]["message"].as_text();
  if (!code || !message) return error{error_code::protocol, std::string(target) + ": " + reply->body};
  return error{error_code_from(*code).value_or(error_code::protocol), *message};
}

result<std::set<std::string>> alive_nodes(const std::string& socket) {
  auto answer = get_json(socket, "/v1/nodes", one_try);
  if (!answer) return answer.error();
  const auto* nodes = (*answer)["nodes"].as_list();
  if (!nodes) return error{error_code::protocol, "/v1/nodes: " + to_json(*answer)};
  std::set<std::string> alive;
  for (const auto& each : *nodes)
    if (const auto* id = each["id"].as_text(); id && each["state"] == value("alive")) alive.insert(*id);
  return alive;
}

bool polling::again() {
  const auto now = system_clock().now();
  if (now >= until_) return false;
  std::this_thread::sleep_until(std::min(now + pause_, until_));
  pause_ = std::min(2 * pause_, milliseconds(50));
  return true;
}

}  // namespace flock::testing

#include "node/this_machine.hpp"

#include "actors/resource/resource_file.hpp"
#include "node/chef/chef_command.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace flock {
namespace {

result<policy> read_policy(const config& with) {
  if (with.policy.empty()) return policy(with.about.environment);
  std::ifstream in(with.policy, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) return error{error_code::io, "cannot read " + with.policy + ": " + std::strerror(errno)};
  auto document = from_json(text.str());
  if (!document) return document.error().within(with.policy);
  auto read = policy::parse(*document);
  if (!read) return read.error().within(with.policy);
  return read;
}

result<machine::declared> read_declared(const config& with) {
  auto rules = read_policy(with);
  if (!rules) return rules.error().within("policy");
  auto resources = read_resources(with.resources);
  // A node without any resource file is a common one; a folder that was named must be there.
  if (!resources && resources.error().code == error_code::not_found && with.resources == config().resources)
    return machine::declared{{}, *std::move(rules)};
  if (!resources)
    return resources.error().code == error_code::bad_argument ? resources.error()  // names its file
                                                              : resources.error().within("resources");
  return machine::declared{*std::move(resources), *std::move(rules)};
}

std::filesystem::path chef_file_of(const config& with) { return std::filesystem::path(with.state_dir) / "chef.json"; }

}  // namespace

result<machine::reading> read_files(const config_sources& from) {
  auto with = read_config(from);
  if (!with) return with.error();
  auto what = read_declared(*with);
  if (!what) return what.error();
  return machine::reading{*std::move(with), *std::move(what)};
}

this_machine::this_machine(config_sources from, runtime& threads, certificates reload)
    : from_(std::move(from)), threads_(threads), reload_(std::move(reload)) {}

result<machine::reading> this_machine::read_again() {
  auto read = read_files(from_);
  if (!read) return read;
  if (auto taken = reload_(); !taken) return taken.error();
  return read;
}

std::optional<std::string> this_machine::chef_file(const config& with) {
  std::ifstream in(chef_file_of(with), std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void this_machine::forget_chef_file(const config& with) {
  std::error_code ignored;  // then it is read once more, and says the same
  std::filesystem::remove(chef_file_of(with), ignored);
}

bool this_machine::is_chef_locked(const config& with) { return flock::is_chef_locked(with); }

void this_machine::start_chef(const config& with, chef_runs::reason why, chef_ended ended) {
  flock::start_chef(with, why, threads_, std::move(ended));
}

}  // namespace flock

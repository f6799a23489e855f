#pragma once

#include "tools/cluster/recorded_process.hpp"
#include <flock/error.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::testing {

/// Where everything of a cluster is; see "flock-cluster" in the contract. Knows names and texts, starts nothing.
class cluster_folder {
 public:
  /// \param path  absolute
  explicit cluster_folder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string node(std::string_view id) const { return path_ + "/" + std::string(id); }
  std::string socket(std::string_view id) const { return node(id) + "/flockd.sock"; }
  std::string config(std::string_view id) const { return node(id) + "/flockd.conf"; }
  std::string log(std::string_view id) const { return node(id) + "/flockd.log"; }
  std::string pid_file(std::string_view name) const;
  std::string zookeeper(int number) const { return path_ + "/" + zookeeper_name(number); }
  static std::string zookeeper_name(int number) { return "zookeeper/" + std::to_string(number); }
  std::string environment() const { return path_ + "/env"; }

  /// The list of its processes, one recorded_process a line in the order in which they were started. It is there from
  /// the start of a cluster until its end.
  std::string processes() const { return path_ + "/processes"; }

  /// Makes the folder and the list: from now on the folder is taken.
  /// Errors: conflict (a cluster runs there, or one ended without `down`), io
  result<void> claim() const;
  /// Adds a process to the list, and writes its pid file. Errors: io
  result<void> record(const recorded_process& p) const;
  /// Each process once, as it was started last. Errors: not_found (there is no list), io
  result<std::vector<recorded_process>> recorded() const;
  /// Removes what says that a cluster runs; logs and state stay.
  void clear(const std::vector<recorded_process>& all) const;

 private:
  std::string path_;
};

/// Lines of a flockd.conf: key and value.
using settings = std::vector<std::pair<std::string, std::string>>;

std::string config_text(const settings& lines);

/// Shell variables, to be read with `.`; the values are quoted.
std::string environment_text(std::string_view registry, std::string_view socket);

/// Each name once, with its last line. Errors: bad_argument
result<std::vector<recorded_process>> parse_processes(std::string_view text);

}  // namespace flock::testing

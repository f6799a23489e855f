#pragma once

#include "libflock/membership/directory.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/words/subscriptions.hpp"
#include <flock/name.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What Chef said in its last run, for the next life of a flockd: a file.
class chef_memory {
 public:
  struct content {
    std::map<resource_name, std::vector<std::string>> resources;  ///< with their actions
    std::vector<subscription> subscribes;
    std::optional<node_attributes> about;
  };
  using log = std::function<void(std::string_view level, const std::string& text)>;

  chef_memory(std::string path, runtime& threads, log l);

  /// Soon; of several in a row at least the last one. On any thread.
  void keep(const content& all) const;
  /// Nothing if Chef never said anything, or, with an error in the log, if the file cannot be read.
  std::optional<content> recall() const;

 private:
  struct file;

  runtime& threads_;
  log log_;
  std::shared_ptr<file> file_;
};

}  // namespace flock

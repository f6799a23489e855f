#pragma once

#include "libflock/delivery/scribe.hpp"
#include "libflock/seams/storage.hpp"
#include "libflock/words/subscriptions.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/node_info.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What Chef said in its last run, for the next life of a flockd: records of the node's journal. Lives in the node's
/// home mailbox.
///
/// Stored, values in binary form:
/// | key                          | what                                            |
/// |------------------------------|-------------------------------------------------|
/// | chef/node                    | node_attributes, as Chef told                   |
/// | chef/resource/<name>         | the list of its actions                         |
/// | chef/subscription/<8 digits> | the JSON form of a subscription, in their order |
class chef_memory {
 public:
  struct content {
    std::map<resource_name, std::vector<std::string>> resources;  ///< with their actions
    std::vector<subscription> subscribes;
    std::optional<node_attributes> about;
  };
  using log = std::function<void(std::string_view level, const std::string& text)>;

  chef_memory(storage& disk, scribe& records, log l);

  /// Reads back what was kept; nothing if Chef never said anything. Once, before anything is kept. It blocks. What
  /// cannot be read is left out, with a line in the log: Chef's next run says it again.
  std::optional<content> recall();

  /// Instead of what was kept before. Written with what is next; only records that differ are.
  void keep(const content& all);

  /// Reads the text of the file in which this was kept before there were records of it.
  /// Errors: bad_argument (no JSON)
  static result<content> from_file(std::string_view text);

 private:
  storage& disk_;
  scribe& scribe_;
  log log_;
  std::map<std::string, std::string> kept_;  // the records, by key
};

}  // namespace flock

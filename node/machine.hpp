#pragma once

#include "actors/resource/declaration.hpp"
#include "libflock/words/policy.hpp"
#include "node/chef/chef_runs.hpp"
#include <flock/config.hpp>
#include <flock/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// The machine around a daemon, as far as none of its node's five seams has it: the files that tell it what to be, and
/// the Chef that runs beside it. A seam like those: in production this_machine, in the simulator one that follows a
/// script. What resources do to the machine is behind another one, their providers, which come with what is read.
class machine {
 public:
  /// What is declared for this node.
  struct declared {
    std::vector<declaration> resources;
    flock::policy policy;
  };
  struct reading {
    config with;
    declared what;
  };

  virtual ~machine() = default;

  /// Reads all files once more and takes new certificates into use. Nothing has changed if any of it is wrong. Blocks.
  /// Errors: of read_config, read_resources and policy::parse, naming file and line; of the certificates
  virtual result<reading> read_again() = 0;

  /// What Chef had said to a flockd that kept it in a file, chef.json in its state folder: the text; nothing if there
  /// is none. Blocks.
  virtual std::optional<std::string> chef_file(const config& with) = 0;
  /// The journal has it now: the file is removed.
  virtual void forget_chef_file(const config& with) = 0;

  /// Whether somebody holds Chef's own lock (chef-lock): a run is under way, whoever started it.
  virtual bool is_chef_locked(const config& with) = 0;

  /// Runs chef-command, which may outlive this process.
  /// \param ended  called on any thread, with its exit status, or why it could not be started, and the end of its
  ///               output; never if this process ends before
  using chef_ended = std::function<void(const result<int>& how, const std::string& output)>;
  virtual void start_chef(const config& with, chef_runs::reason why, chef_ended ended) = 0;
};

}  // namespace flock

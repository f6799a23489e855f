#pragma once

#include "libflock/seams/runtime.hpp"
#include "node/chef/chef_runs.hpp"
#include <flock/config.hpp>

#include <functional>
#include <string>

namespace flock {

/// Whether somebody holds Chef's own lock (chef-lock): a run is under way, whoever started it.
bool is_chef_locked(const config& with);

/// Runs chef-command on a thread of its own. The run may outlive this process: its output goes to chef-run.log in the
/// state folder, and it is a process group of its own.
///
/// \param ended  called on that thread, with its exit status, or why it could not be started, and the end of its
///               output; never if the threads stop before
void start_chef(const config& with, chef_runs::reason why, runtime& threads,
                std::function<void(const result<int>& how, const std::string& output)> ended);

}  // namespace flock

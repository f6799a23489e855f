#pragma once

#include "libflock/seams/runtime.hpp"
#include "node/machine.hpp"
#include <flock/config.hpp>
#include <flock/error.hpp>

#include <functional>

namespace flock {

/// Reads the configuration, and the resource files and the policy that it names, without starting anything.
/// Errors: those of read_config, read_resources and policy::parse, naming file and line
result<machine::reading> read_files(const config_sources& from);

/// The machine that this process runs on.
class this_machine final : public machine {
 public:
  using certificates = std::function<result<void>()>;

  /// \param reload  takes new certificates into use
  this_machine(config_sources from, runtime& threads, certificates reload);

  result<reading> read_again() override;
  std::optional<std::string> chef_file(const config& with) override;
  void forget_chef_file(const config& with) override;
  bool is_chef_locked(const config& with) override;
  void start_chef(const config& with, chef_runs::reason why, chef_ended ended) override;

 private:
  config_sources from_;
  runtime& threads_;
  certificates reload_;
};

}  // namespace flock

#include "actors/execute_resource.hpp"

#include "actors/posix.hpp"

#include <unistd.h>

namespace flock {
namespace {

class execute_provider final : public provider {
 public:
  execute_provider(const resource_name& name, declared_members& members) {
    what_.line = name.name;
    members.read("command", what_.line);
    members.read("cwd", what_.cwd, &absolute_path_from);
    members.read("user", what_.user);
    members.read("environment", what_.environment);
    members.read("timeout", what_.timeout, &duration_from);
    members.read("creates", creates_);
    for (const auto& [variable, ignored] : what_.environment) {
      if (variable.empty() || variable.find('=') != std::string::npos) {
        members.complain("environment", "\"" + variable + "\" is no name of a variable");
      }
    }
    if (creates_.empty() || creates_.starts_with('/')) return;
    if (what_.cwd.empty()) members.complain("creates", creates_ + " is no absolute path, and there is no cwd");
    creates_ = what_.cwd + "/" + creates_;
  }

  action_report perform(std::string_view, const attempt& how) const override {
    if (!creates_.empty() && ::access(creates_.c_str(), F_OK) == 0) {
      return {.how = outcome::up_to_date, .output = creates_ + " exists"};
    }
    if (how.why_run) return {.how = outcome::updated, .output = "would run " + what_.line};
    auto what = what_;
    if (!how.run.empty()) what.environment.emplace("FLOCK_RUN", how.run);
    auto ended = run_command(what, how.stopping);
    if (!ended) return action_report::failed(ended.error());
    if (ended->succeeded()) return {.how = outcome::updated, .output = std::move(ended->output)};
    // Killed half-way, it may have done its work.
    const auto code = ended->cancelled ? error_code::maybe_done : error_code::io;
    auto text = ended->timed_out ? "timed out after " + format_duration(what_.timeout) : ended->why();
    return {outcome::failed, ended->exit_status, std::move(ended->output), error{code, std::move(text)}};
  }

  command guard() const override { return what_; }

 private:
  command what_;
  std::string creates_;
};

}  // namespace

resource_type execute_resource() {
  return {"execute",
          {describe_action("run", "runs its command"), describe_action("nothing", "does nothing")},
          [](const resource_name& name, declared_members& members) {
            return std::make_shared<const execute_provider>(name, members);
          }};
}

}  // namespace flock

#include "actors/resource/execute_resource.hpp"

#include "actors/resource/posix.hpp"

#include <unistd.h>

namespace flock {
namespace {

std::string joined(const std::vector<std::string>& ids) {
  std::string all;
  for (const auto& id : ids) {
    if (all.size() + 1 + id.size() > execute_limits::notifications) break;
    all += (all.empty() ? "" : " ") + id;
  }
  return all;
}

class execute_provider final : public provider {
 public:
  execute_provider(const resource_name& name, declared_members& members) : name_(name.str()) {
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

  action_report perform(std::string_view action, const attempt& how) const override {
    if (!creates_.empty() && ::access(creates_.c_str(), F_OK) == 0) {
      return {.how = outcome::up_to_date, .output = creates_ + " exists"};
    }
    if (how.why_run) return {.how = outcome::updated, .output = "would run " + what_.line};
    auto ended = run_command(told_why(action, how), how.stopping);
    if (!ended) return action_report::failed(ended.error());
    if (ended->succeeded()) return {.how = outcome::updated, .output = std::move(ended->output)};
    // Killed half-way, it may have done its work.
    const auto code = ended->cancelled ? error_code::maybe_done : error_code::io;
    auto text = ended->timed_out ? "timed out after " + format_duration(what_.timeout) : ended->why();
    return {outcome::failed, ended->exit_status, std::move(ended->output), error{code, std::move(text)}};
  }

  command guard() const override { return what_; }

 private:
  command told_why(std::string_view action, const attempt& how) const {
    auto told = what_;
    // What the declaration says goes first.
    told.environment.emplace("FLOCK_NODE", how.node);
    told.environment.emplace("FLOCK_RESOURCE", name_);
    told.environment.emplace("FLOCK_ACTION", action);
    told.environment.emplace("FLOCK_NOTIFICATION", joined(how.notifications));
    if (!how.run.empty()) told.environment.emplace("FLOCK_RUN", how.run);
    return told;
  }

  const std::string name_;
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

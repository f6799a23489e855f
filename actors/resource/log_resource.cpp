#include "actors/resource/log_resource.hpp"

namespace flock {
namespace {

class log_provider final : public provider {
 public:
  log_provider(const resource_name& name, declared_members& members) : message_(name.name) {
    members.read("message", message_);
  }

  action_report perform(std::string_view, const attempt& how) const override {
    if (how.why_run) return {.how = outcome::updated, .output = "would log " + message_};
    how.log(message_);
    return {.how = outcome::updated, .output = message_};
  }

  bool may_block() const override { return false; }

 private:
  std::string message_;
};

}  // namespace

resource_type log_resource() {
  return {
      "log",
      {describe_action("write", "writes its message to the node's log"), describe_action("nothing", "does nothing")},
      [](const resource_name& name, declared_members& members) {
        return std::make_shared<const log_provider>(name, members);
      }};
}

}  // namespace flock

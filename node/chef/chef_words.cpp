#include "node/chef/chef_words.hpp"

#include <string>
#include <utility>

namespace flock {
namespace {

result<subscription> subscription_from(const value& v) {
  auto watched = member<resource_name>(v, "watched");
  if (!watched) return watched.error();
  auto publishers = location::from_value(v["publishers"]);
  if (!publishers) return wrong_member("publishers", publishers.error());
  auto resource = member<resource_name>(v, "resource");
  if (!resource) return resource.error();
  auto action = member<std::string>(v, "action");
  if (!action) return action.error();
  auto when = member_or<std::string>(v, "timing", "immediately");
  if (!when) return when.error();
  const auto timing = timing_from(*when);
  if (!timing) return error{error_code::bad_argument, "the body: no timing: " + *when};
  return subscription::make(*std::move(watched), *std::move(publishers), *std::move(resource), *std::move(action),
                            *timing);
}

}  // namespace

result<std::vector<subscription>> subscriptions_from(const value& list) {
  std::vector<subscription> out;
  if (list.is_null()) return out;
  if (!list.as_list()) return error{error_code::bad_argument, "the body: subscribes is no list"};
  for (const auto& one : *list.as_list()) {
    auto read = subscription_from(one);
    if (!read) return read.error();
    out.push_back(*std::move(read));
  }
  return out;
}

}  // namespace flock

#include "libflock/core/node_service.hpp"

#include <flock/value_cast.hpp>

namespace flock {

namespace {

value describe_method(const method_info& m) {
  return value::map{{"name", m.name},
                    {"doc", m.doc},
                    {"parameters", to_value(m.parameters)},
                    {"returns", m.returns},
                    {"streams", m.streams}};
}

value describe_actor(const node_id& node, const actor_host::published_actor& a) {
  value::list methods;
  for (const auto& m : a.methods) methods.push_back(describe_method(m));
  return value::map{{"node", node.str()},    {"name", a.name.str()},          {"type", a.type},
                    {"does", a.does},        {"methods", std::move(methods)}, {"waiting", a.waiting},
                    {"restarts", a.restarts}};
}

}  // namespace

node_service::node_service(node_id self, actor_host& actors, watches& ends, const notifier& notifications,
                           wish_keeper& wishes)
    : self_(std::move(self)), actors_(actors), watches_(ends), notifier_(notifications), wishes_(wishes) {}

std::vector<value> node_service::actors() const {
  value::list all;
  for (const auto& a : actors_.list()) all.push_back(describe_actor(self_, a));
  return all;
}

std::vector<value> node_service::subscriptions() const {
  value::list all;
  for (const auto& s : notifier_.subscriptions()) all.push_back(s.to_value());
  return all;
}

deferred<bool> node_service::await(const asker& by, const actor_name& name) {
  deferred<bool> answer;
  actors_.when_published(name, by.until, [answer](bool here) { answer.settle(here); });
  return answer;
}

deferred<void> node_service::wishes(const asker& by, std::vector<wish> all) {
  deferred<void> answer;
  wishes_.take(by.node, std::move(all), [answer](result<void> kept) { answer.settle(std::move(kept)); });
  return answer;
}

deferred<std::vector<wish>> node_service::wished(const asker& by) {
  deferred<std::vector<wish>> answer;
  if (resumed_)
    answer.settle(notifier_.wishes_for(by.node));
  else
    asked_early_.emplace_back(by.node, answer);
  return answer;
}

void node_service::resume() {
  resumed_ = true;
  for (const auto& [node, answer] : std::exchange(asked_early_, {})) answer.settle(notifier_.wishes_for(node));
}

}  // namespace flock

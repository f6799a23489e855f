#include "tools/bench/answerer.hpp"

#include <utility>
#include <vector>

namespace flock::bench {

namespace {

constexpr milliseconds patience{20'000};

int answer(const std::vector<std::string>& arguments) {
  auto node = start_node(arguments);
  if (!node) return failed(node.error());
  if (auto published = node->publish<answerer>("answerer"); !published) return failed(published.error());
  return node->wait();
}

}  // namespace

role answerer_role() { return {"answerer", answer}; }

result<answering_pair> answering_pair::start(const stage& on, const std::string& id) {
  auto process = on.start_node_role("answerer", "answering");
  if (!process) return process.error();
  auto here = on.start_node(id);
  if (!here) return here.error();
  auto actor = here->find<answerer>("answering/answerer", patience);
  if (!actor) return on.with_log(actor.error());
  return answering_pair{*std::move(process), *std::move(here), *std::move(actor)};
}

}  // namespace flock::bench

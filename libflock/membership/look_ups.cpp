#include "libflock/membership/look_ups.hpp"

#include <utility>

namespace flock {

look_ups::look_ups(std::shared_ptr<mailbox> home, const clock& time, const directory& nodes, membership& registry)
    : home_(std::move(home)), time_(time), nodes_(nodes), registry_(registry) {}

void look_ups::look_up(const location& where, time_point until, known done) {
  want(where);
  request r{where, until, std::move(done)};
  if (const auto answer = answer_to(r)) return r.done(*answer);
  waiting_.push_back(std::move(r));
  home_->post_at(until, [this] { look_again(); });
}

void look_ups::want(const location& where) {
  if (!where.only_names()) return registry_.want_all();
  for (const auto& node : where.nodes)
    if (!nodes_.find(node)) registry_.want_node(node);
}

std::optional<result<void>> look_ups::answer_to(const request& r) const {
  const bool in_time = time_.now() < r.until;
  if (!r.where.only_names()) return answer_from_lists(in_time);
  for (const auto& node : r.where.nodes) {
    auto answer = answer_for(node, in_time);
    if (!answer || !*answer) return answer;
  }
  return result<void>();
}

std::optional<result<void>> look_ups::answer_from_lists(bool in_time) const {
  if (registry_.lists_known()) return result<void>();
  if (in_time) return {};
  if (nodes_.size() > 1) return result<void>();  // what is known without the registry
  return error{error_code::unreachable, "the registry cannot be asked who is there"};
}

std::optional<result<void>> look_ups::answer_for(const node_id& node, bool in_time) const {
  if (nodes_.find(node) || described_.contains(node)) return result<void>();
  if (is_absent(node)) return error{error_code::not_found, "no node named " + node.str()};
  if (in_time) return {};
  return error{error_code::unreachable, "nothing is known of " + node.str() + ", and the registry cannot be asked"};
}

bool look_ups::is_absent(const node_id& node) const {
  if (nodes_.find(node)) return false;
  return absent_.contains(node) || (registry_.lists_known() && !registry_.watches_node(node));
}

void look_ups::nodes(const std::optional<location>& where, time_point until, nodes_known done) {
  // Whoever asks for no one in particular wants to see what is known now, rather than wait for more.
  if (!where && registry_.state() != session_state::ready) {
    registry_.want_all();
    return done(all());
  }
  // A condition that no name satisfies makes look_up read the lists of all nodes.
  location everything;
  everything.query = "*:*";
  look_up(where.value_or(everything), until, [this, where, done = std::move(done)](const result<void>& told) {
    if (!told) return done(told.error());
    done(where ? selected(*where) : all());
  });
}

std::vector<node_info> look_ups::all() const {
  std::vector<node_info> out;
  for (const auto* n : nodes_.all()) out.push_back(*n);
  return out;
}

result<std::vector<node_info>> look_ups::selected(const location& where) const {
  const auto chosen = nodes_.select(where);
  if (!chosen) return chosen.error();
  std::vector<node_info> out;
  for (const auto& node : *chosen)
    if (const auto* n = nodes_.find(node)) out.push_back(*n);
  return out;
}

void look_ups::listed(const node_id& node) {
  absent_.erase(node);
  look_again();
}

void look_ups::unlisted(const node_id& node) {
  if (!nodes_.find(node)) absent_.insert(node);
  look_again();
}

void look_ups::described(const node_id& node) {
  described_.insert(node);
  look_again();
}

void look_ups::close(const error& why) {
  for (auto& r : std::exchange(waiting_, {})) r.done(why);
}

void look_ups::look_again() {
  std::list<std::pair<known, result<void>>> answered;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto answer = answer_to(*at);
    if (!answer) {
      ++at;
      continue;
    }
    answered.emplace_back(std::move(at->done), *std::move(answer));
    at = waiting_.erase(at);
  }
  // Whoever is answered may ask again.
  for (const auto& [done, answer] : answered) done(answer);
}

}  // namespace flock

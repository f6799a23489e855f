#include "libflock/membership/directory.hpp"

#include "libflock/words/query.hpp"

#include <algorithm>
#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

namespace {

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool matches(const node_info& n, const location& where, const std::optional<query>& condition) {
  const auto& about = n.about;
  if (!where.nodes.empty() && std::find(where.nodes.begin(), where.nodes.end(), n.id) == where.nodes.end())
    return false;
  if (where.environment && about.environment != *where.environment) return false;
  return std::all_of(where.roles.begin(), where.roles.end(), [&](auto& r) { return contains(about.roles, r); }) &&
         std::all_of(where.recipes.begin(), where.recipes.end(), [&](auto& r) { return about.has_recipe(r); }) &&
         (!condition || condition->matches(n.document()));
}

bool has_ended(node_state s) { return s == node_state::dead || s == node_state::left; }

}  // namespace

bool directory::entry::is_connected() const {
  return std::any_of(connections.begin(), connections.end(),
                     [&](const node_life& c) { return c.life == info.life.life; });
}

bool directory::entry::was_replaced(const node_life& other) const {
  return std::find(replaced.begin(), replaced.end(), other.life) != replaced.end();
}

void directory::entry::forget_connection(const incarnation& life) {
  std::erase_if(connections, [&](const node_life& c) { return c.life == life; });
  if (life != info.life.life) replace(life);
}

/// From now on, words about this life are late.
void directory::entry::replace(const incarnation& life) {
  // Late words come from the lives just before; more of them than this within a session time-out is a crash loop.
  constexpr std::size_t remembered = 16;
  replaced.push_back(life);
  if (replaced.size() > remembered) replaced.erase(replaced.begin());
}

void directory::entry::end(node_state how, time_point now) {
  info.state = how;
  suspected.reset();
  ended = now;
}

/// The present life is over and another one follows.
void directory::entry::follow(const node_life& other) {
  replace(info.life.life);
  live(other);
}

/// Begins another life.
void directory::entry::live(const node_life& other) {
  info.life = listed && listed->life == other.life ? *listed : other;  // a connection does not tell when it started
  info.state = node_state::alive;
  met = broken = vouched = false;
  suspected.reset();
  ended.reset();
}

/// Whether a life that the registry lists after `before` follows the present one.
bool directory::entry::is_followed_by(const node_life& other, const std::optional<node_life>& before) const {
  if (has_ended(info.state)) return !before || before->life != other.life || !was_replaced(other);
  if (was_replaced(other)) return false;
  bool registry_saw_both = before && before->life == info.life.life;
  bool knows_start = info.life.started != wall_time();
  return registry_saw_both || (knows_start && other.started >= info.life.started);
}

/// When the present life has no connection, one that has takes over; when it has ended, one that is listed does.
void directory::entry::take_over() {
  if (is_connected()) return;
  for (const node_life& c : connections) {
    if (was_replaced(c) && !has_ended(info.state)) continue;
    follow(c);
    met = true;
    return;
  }
  if (has_ended(info.state) && listed && !is_listed() && !was_replaced(*listed)) follow(*listed);
}

/// What the witnesses' words amount to.
void directory::judge(entry& e, bool refused, time_point now) const {
  e.take_over();
  auto& state = e.info.state;
  if (e.is_connected()) {
    state = node_state::alive;
    e.met = true;  // also a life that the registry made the present one while another was connected, too
    e.broken = false;
    e.suspected.reset();
    e.ended.reset();
    return;
  }
  if (has_ended(state)) return;
  if (e.is_listed() && !e.broken) {
    state = node_state::alive;
    e.suspected.reset();
    return;
  }
  state = node_state::suspect;
  if (!e.suspected) {
    e.suspected = now;
    e.vouched = registry_reachable_ && e.is_listed();
  }
  // Whom the registry alone has lost it may list again, when it can be asked.
  bool may_return = !e.broken && !registry_reachable_;
  bool given_up = !e.vouched && !may_return && now - *e.suspected >= options_.suspicion;
  bool process_gone = refused && e.met;
  if (given_up || process_gone) {
    e.end(node_state::dead, now);
    e.take_over();
  }
}

/// Lets an event happen to an entry and tells what came of it.
template <class Event> directory::changes directory::change(entry& e, time_point now, wall_time wall, Event happens) {
  const whole_at_end look([&] { return e.check(); });
  auto before = e.info.state;
  auto life = e.info.life.life;
  bool refused = happens();
  judge(e, refused, now);
  if (e.info.state == before && e.info.life.life == life) return {};
  e.info.since = wall;
  return {{e.info.id, before, e.info.state, e.info.life.life}};
}

/// A life was listed or has connected: of a node that is known, or of a new one.
template <class Event>
directory::changes directory::meet(const node_id& id, const node_life& life, time_point now, wall_time wall,
                                   Event happens) {
  if (auto known = nodes_.find(id); known != nodes_.end()) {
    entry& e = known->second;
    return change(e, now, wall, [&] {
      happens(e);
      return false;
    });
  }
  entry& e = nodes_.emplace(id, entry{.info = {id, life, node_state::alive, wall, {}}}).first->second;
  const whole_at_end look([&] { return e.check(); });
  if (auto about = described_.extract(id)) e.info.about = std::move(about.mapped());
  happens(e);
  judge(e, false, now);
  return {{id, std::nullopt, e.info.state, life.life}};
}

directory::entry* directory::find_other(const node_id& id) {
  auto found = id == self_ ? nodes_.end() : nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

directory::changes directory::listed(const node_id& id, const node_life& life, time_point now, wall_time wall) {
  return meet(id, life, now, wall, [&](entry& e) {
    auto before = std::exchange(e.listed, life);
    if (!e.is_listed()) {
      e.vouched = false;
      if (e.is_followed_by(life, before)) e.follow(life);
      return;
    }
    e.info.life = life;
    e.vouched = true;
    bool anew = !before || before->life != life.life;
    if (anew && e.info.state == node_state::dead) {
      e.info.state = node_state::alive;
      e.broken = false;
      e.ended.reset();
    }
  });
}

directory::changes directory::unlisted(const node_id& id, time_point now, wall_time wall) {
  entry* e = find_other(id);
  if (!e) return {};
  return change(*e, now, wall, [&] {
    e->listed.reset();
    e->vouched = false;
    return false;
  });
}

void directory::described(const node_id& id, node_attributes about) {
  auto known = nodes_.find(id);
  (known == nodes_.end() ? described_[id] : known->second.info.about) = std::move(about);
}

void directory::registry_reachable(bool yes) {
  registry_reachable_ = yes;
  if (!yes) return;
  for (auto& [id, e] : nodes_) {
    e.vouched = e.is_listed();
    if (!e.broken) e.suspected.reset();  // its time begins now: see due()
  }
}

directory::changes directory::connected(const node_id& id, const node_life& life, time_point now, wall_time wall) {
  return meet(id, life, now, wall, [&](entry& e) {
    std::erase_if(e.connections, [&](const node_life& c) { return c.life == life.life; });
    if (e.info.life.life != life.life && !e.was_replaced(life)) {
      // With two connections nobody knows which life is over, until one of them ends.
      if (e.is_connected())
        e.live(life);
      else
        e.follow(life);
    }
    e.connections.push_back(life);
    if (e.info.life.life == life.life) e.met = true;
  });
}

directory::changes directory::disconnected(const node_id& id, const incarnation& life, time_point now, wall_time wall) {
  entry* e = find_other(id);
  if (!e) return {};
  return change(*e, now, wall, [&] {
    e->forget_connection(life);
    if (e->info.life.life == life) e->broken = true;
    return false;
  });
}

directory::changes directory::dial_failed(const node_id& id, bool refused, time_point now, wall_time wall) {
  entry* e = find_other(id);
  if (!e || e->is_connected()) return {};
  return change(*e, now, wall, [&] {
    e->broken = true;
    return refused;
  });
}

directory::changes directory::said_goodbye(const node_id& id, const incarnation& life, time_point now, wall_time wall) {
  entry* e = find_other(id);
  if (!e) return {};
  return change(*e, now, wall, [&] {
    e->forget_connection(life);
    if (e->info.life.life == life) e->end(node_state::left, now);
    return false;
  });
}

/// When time alone will change an entry.
std::optional<time_point> directory::due(const entry& e) const {
  if (e.ended) return *e.ended + options_.keep;
  if (e.info.state == node_state::suspect && !e.suspected) return time_point::min();
  if (e.suspected && !e.vouched && (e.broken || registry_reachable_)) return *e.suspected + options_.suspicion;
  return std::nullopt;
}

directory::changes directory::tick(time_point now, wall_time wall) {
  changes all;
  for (auto at = nodes_.begin(); at != nodes_.end();) {
    entry& e = at->second;
    auto when = due(e);
    bool is_due = when && *when <= now;
    if (is_due && e.ended) {
      at = nodes_.erase(at);
      continue;
    }
    if (is_due) {
      for (auto& c : change(e, now, wall, [] { return false; })) all.push_back(std::move(c));
    }
    ++at;
  }
  return all;
}

std::optional<time_point> directory::next_tick() const {
  std::optional<time_point> next;
  for (const auto& [id, e] : nodes_) {
    auto when = due(e);
    if (when && (!next || *when < *next)) next = when;
  }
  return next;
}

const node_info* directory::find(const node_id& id) const {
  auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second.info;
}

bool directory::is_connected(const node_id& id) const {
  auto found = nodes_.find(id);
  return found != nodes_.end() && found->second.is_connected();
}

std::vector<node_id> directory::listed_dead() const {
  std::vector<node_id> found;
  for (const auto& [id, e] : nodes_)
    if (e.info.state == node_state::dead && e.is_listed()) found.push_back(id);
  return found;
}

std::vector<const node_info*> directory::all() const {
  std::vector<const node_info*> all;
  for (const auto& [id, e] : nodes_) all.push_back(&e.info);
  return all;
}

result<std::vector<node_id>> directory::select(const location& where) const {
  if (where.empty()) return error{error_code::bad_argument, "an empty location"};
  std::vector<node_id> chosen;
  if (where.only_names()) {
    chosen = where.nodes;
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  } else {
    std::optional<query> condition;
    if (where.query) {
      auto parsed = query::parse(*where.query);
      if (!parsed) return parsed.error();
      condition = *std::move(parsed);
    }
    for (const auto& [id, e] : nodes_) {
      if (!has_ended(e.info.state) && matches(e.info, where, condition)) chosen.push_back(id);
    }
  }
  if (chosen.empty()) return error{error_code::not_found, "no node matches " + to_string(where)};
  if (!where.any) return chosen;

  auto rank = [&](const node_id& id) {
    if (id == self_) return 0;
    const auto* known = find(id);
    return known ? static_cast<int>(known->state) : static_cast<int>(last_node_state) + 1;
  };
  return std::vector{*std::min_element(chosen.begin(), chosen.end(),
                                       [&](const node_id& a, const node_id& b) { return rank(a) < rank(b); })};
}

broken directory::check() const {
  for (const auto& [id, e] : nodes_) {
    if (e.info.id != id) return sentence(e.info.id, " is known as ", id);
    if (auto why = e.check()) return why;
    if (described_.contains(id)) return sentence("what ", id, " says of itself waits for it, and it is known");
  }
  return {};
}

flock::broken directory::entry::check() const {
  const auto& id = info.id;
  const auto state = to_string(info.state);
  if (has_ended(info.state) != ended.has_value())
    return sentence(id, " is ", state, ended ? ", and has ended" : ", and has not ended");
  if (suspected && info.state != node_state::suspect) return sentence(id, " is ", state, ", and is suspected");
  if (info.state == node_state::suspect && !suspected && broken)
    return sentence(id, " is ", state, ", and it does not count since when");
  if (is_connected() && (info.state != node_state::alive || !met || broken))
    return sentence(id, " is ", state, ", and connected", broken ? " though its connection broke" : "");
  for (auto c = connections.begin(); c != connections.end(); ++c)
    if (std::any_of(connections.begin(), c, [&](const node_life& o) { return o.life == c->life; }))
      return sentence(id, " is connected twice in its life ", c->life);
  if (vouched && !is_listed()) return sentence(id, " is vouched for, and its life ", info.life.life, " is not listed");
  return {};
}

}  // namespace flock

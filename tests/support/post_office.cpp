#include "tests/support/post_office.hpp"

#include "tests/support/checked.hpp"

#include <stdexcept>
#include <utility>

namespace flock::testing {

post_office::post_office(const node_id& id, std::uint64_t life, seams s, manual_storage& disk, courier::options o)
    : seams_(s),
      disk_(disk),
      self_{"/flock", id, {1, life}, "1", "", "test", disk.id()},
      home_(s.threads.make_mailbox(id.str())),
      transport_(s.network.attach(self_)),
      scribe_(home_, disk, {}),
      courier_(id, self_.life, home_, s.time, *transport_, disk, scribe_, *this, o) {
  auto ready = courier_.restore();
  if (ready) {
    auto bound = transport_->start(*this);
    if (!bound) ready = bound.error();
  }
  if (!ready) throw std::runtime_error(to_string(ready.error()));
  home_->post([this] { courier_.resume(); });
}

post_office::~post_office() {
  check();
  home_->close();
  disk_.crash();
  seams_.network.kill(self_.id);
}

void post_office::check() const {
  check_whole(scribe_);
  check_whole(courier_);
}

void post_office::tick() {
  courier_.tick();
  for (const auto& to : courier_.receivers()) want_connection(to);
}

void post_office::submit(notification n) {
  home_->post([this, n = std::move(n)] {
    courier_.submit(n, [this, id = n.id](result<void> how) { taken_.insert_or_assign(id, std::move(how)); });
  });
}

std::optional<result<void>> post_office::taken(const std::string& id) const {
  auto at = taken_.find(id);
  return at == taken_.end() ? std::nullopt : std::optional(at->second);
}

bool post_office::start() {
  const bool begins = jobs.front().starts();
  if (!begins) finish(error{error_code::refused, "it was not to begin"});
  settle();
  return begins;
}

void post_office::finish(result<value> how) {
  auto first = std::move(jobs.front());
  jobs.pop_front();
  first.done(std::move(how));
  settle();
}

void post_office::perform_at_once() {
  at_once_ = true;
  for (auto& j : std::exchange(jobs, {})) perform(j.what, j.starts, j.done);
}

std::optional<receipt_state> post_office::state(const std::string& id) const {
  const auto* r = courier_.records().find(id);
  return r ? std::optional(r->state()) : std::nullopt;
}

result<void> post_office::admit(const notification& n) {
  if (unknown_actors.count(n.actor.str()) == 0) return {};
  return error{error_code::not_found, "no " + n.actor.str() + " on " + self_.id.str()};
}

void post_office::perform(const notification& n, std::function<bool()> starts,
                          std::function<void(result<value>)> done) {
  if (!at_once_) return jobs.push_back({n, std::move(starts), std::move(done)});
  done(starts() ? result<value>("done") : error{error_code::refused, "it was not to begin"});
}

void post_office::want_connection(const node_id& to) {
  wanted.insert(to);
  if (dials) transport_->dial(to, to.str() + ":22222");
}

void post_office::progressed(const notification_record& r) {
  progress.push_back(r.what.id + " " + std::string(to_string(r.state())));
}

void post_office::connected(const hello& peer) {
  home_->post([this, peer] { courier_.connected(peer); });
}

void post_office::received(const hello& from, message m) {
  home_->post([this, from, m = std::move(m)] {
    if (auto ok = courier_.received(from, m); !ok) throw std::runtime_error(to_string(ok.error()));
  });
}

void post_office::disconnected(const hello& peer, const error&) {
  home_->post([this, peer] { courier_.disconnected(peer); });
}

}  // namespace flock::testing

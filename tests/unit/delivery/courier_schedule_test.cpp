#include "tests/support/notifications.hpp"
#include "tests/support/post_office.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using enum receipt_state;

/// Three nodes that notify each other and themselves while connections break, messages vanish and come twice, disks are
/// slow and processes crash. Two actors on each perform one notification at a time.
class schedule {
 public:
  explicit schedule(std::uint64_t seed) : random_(seed), threads_(time_, seed), network_(threads_, time_, seed) {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      disks_.push_back(std::make_unique<manual_storage>("journal" + std::to_string(i)));
      offices_.emplace_back();
      start(i);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      look();
    }
  }

  /// No more faults; everybody has time.
  void drain() {
    network_.heal();
    network_.disturb({});
    for (auto& disk : disks_) disk->release();
    for (int round = 0; round < 40; ++round) {
      for (std::size_t i = 0; i < ids_.size(); ++i) {
        threads_.run_ready();
        while (perform(i, office(i).jobs.size())) threads_.run_ready();
      }
      pass(5s);
    }
    look();
  }

  void check() {
    for (const auto& [id, sent] : sent_) {
      if (!sent.taken) continue;
      CAPTURE(id);
      const auto* r = office(sent.from).mail().records().find(id);
      REQUIRE(r != nullptr);
      const auto starts = starts_[id];
      CAPTURE(to_string(r->state()));
      CHECK(is_terminal(r->state()));
      if (r->state() == expired || r->state() == cancelled) CHECK(starts == 0);
      if (r->state() == succeeded) CHECK(starts > 0);
      if (starts > 1 && r->state() == succeeded) CHECK(r->redelivered());
      if (crashes_ == 0) CHECK(starts <= 1);
      if (crashes_ == 0) CHECK_FALSE(r->redelivered());
      if (!sent.hurries) CHECK(r->state() == succeeded);
    }
    CHECK(ends_changed_ == 0);
    for (const auto& [line, started] : first_starts_) CHECK(std::is_sorted(started.begin(), started.end()));
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      CHECK(office(i).mail().outbox_depth() == 0);
      CHECK(disks_[i]->records("o/") == 0);
      CHECK(disks_[i]->records("w/") == 0);
    }
  }

 private:
  struct sending {
    std::size_t from;
    bool hurries;  // it expires soon
    bool taken = false;
    std::optional<receipt_state> end{};
  };

  std::size_t below(std::size_t n) { return random_() % n; }
  post_office& office(std::size_t i) { return *offices_[i]; }

  void step() {
    const auto i = below(ids_.size());
    const auto j = below(ids_.size());
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return submit(i, j);
      case 4:
      case 5:
      case 6:
      case 7:
        return void(perform(i, below(3)));
      case 8:
        return disks_[i]->hold();
      case 9:
        return disks_[i]->release();
      case 10:
      case 11:
        return disks_[i]->sync_one();
      case 12:
        return i == j ? void() : network_.drop(ids_[i], ids_[j]);
      case 13:
        return i == j ? void() : network_.cut(ids_[i], ids_[j]);
      case 14:
        return network_.heal();
      case 15:
        return network_.disturb({.delay_most = milliseconds(below(20)), .lost = 0.1, .repeated = 0.1});
      case 16:
        return network_.disturb({});
      case 17:
        return pass(milliseconds(below(8000)));
      case 18:
        if (below(4) == 0) start(i);
        return;
      default:
        for (auto n = below(50); n > 0; --n) threads_.run_one();
    }
  }

  void start(std::size_t i) {
    if (offices_[i]) ++crashes_;
    offices_[i].reset();
    offices_[i] =
        std::make_unique<post_office>(ids_[i], ++lives_, post_office::seams{threads_, time_, network_}, *disks_[i]);
    office(i).tick();
  }

  void submit(std::size_t from, std::size_t to) {
    auto n = make_notification(std::to_string(1000 + sent_.size()));
    n.sender = ids_[from];
    n.target = ids_[to];
    n.actor = actor_name::parse(below(2) == 0 ? "log[a]" : "log[b]").value();
    const bool hurries = below(4) == 0;
    n.expires = time_.wall() + (hurries ? milliseconds(3000) : milliseconds(24h));
    sent_.emplace(n.id, sending{from, hurries});
    office(from).submit(n);
  }

  /// Begins or ends the first job of some actor. \returns whether there was one
  bool perform(std::size_t i, std::size_t skip) {
    auto& jobs = office(i).jobs;
    if (jobs.empty()) return false;
    const auto actor = jobs[std::min(skip, jobs.size() - 1)].what.actor;
    auto first = std::find_if(jobs.begin(), jobs.end(), [&](const auto& j) { return j.what.actor == actor; });
    const auto& n = first->what;
    if (n.id != begun_[{office(i).life(), actor.str()}]) {
      if (n.expires <= time_.wall()) {
        first->done(error{error_code::timeout, "its turn came too late"});
        jobs.erase(first);
        return true;
      }
      if (!first->starts()) {
        first->done(error{error_code::refused, "it was not to begin"});
        jobs.erase(first);
        return true;
      }
      begun_[{office(i).life(), actor.str()}] = n.id;
      if (++starts_[n.id] == 1) first_starts_[{n.sender.str(), n.target.str(), actor.str()}].push_back(n.id);
      return true;
    }
    first->done(value("done"));
    jobs.erase(first);
    return true;
  }

  void pass(milliseconds by) {
    threads_.advance(by);
    for (auto& o : offices_) o->tick();
    threads_.run_ready();
  }

  /// A terminal state, once seen, stays.
  void look() {
    for (auto& [id, sent] : sent_) {
      auto taken = office(sent.from).taken(id);
      if (taken && taken->has_value()) sent.taken = true;
      const auto state = office(sent.from).state(id);
      if (!sent.taken || !state) continue;
      if (sent.end && is_terminal(*state) && *sent.end != *state) ++ends_changed_;
      if (is_terminal(*state)) sent.end = state;
    }
  }

  std::mt19937_64 random_;
  manual_clock time_;
  manual_runtime threads_;
  memory_network network_;
  const std::array<node_id, 3> ids_{node("a"), node("b"), node("c")};
  std::vector<std::unique_ptr<manual_storage>> disks_;
  std::vector<std::unique_ptr<post_office>> offices_;
  std::uint64_t lives_ = 0;
  int crashes_ = 0;

  std::map<std::string, sending> sent_;
  std::map<std::string, int> starts_;
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> first_starts_;
  std::map<std::pair<std::uint64_t, std::string>, std::string> begun_;
  int ends_changed_ = 0;
};

}  // namespace

TEST_CASE("whatever breaks, an accepted notification ends once, in order, and is never repeated unmarked") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    schedule s(seed);

    s.run(300);
    s.drain();

    s.check();
  }
}

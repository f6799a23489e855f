#include "tools/bench/registry_cost.hpp"

#include "libflock/caf/caf_runtime.hpp"
#include "libflock/membership/membership.hpp"
#include "libflock/seams/runtime.hpp"
#include "tools/bench/session_crowd.hpp"
#include "tools/bench/stage.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/stopwatch.hpp"

#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

constexpr milliseconds patience{300'000};
// Longer than the 100 ms for which a watcher waits before it reads a bucket anew.
constexpr milliseconds quiet{500};
// As a server for ten thousand nodes should have; with 64 it collects garbage all the time.
constexpr int heap_mib = 1024;

node_life a_life(const std::string& id) {
  return {incarnation::random(), id + ":22222", "0.1.0", system_clock().wall()};
}

/// As much as a node of a fleet says of itself.
node_attributes some_attributes() {
  return {"production", {"web"}, {"apache2::default"}, {}, value(value::map{{"platform", "debian"}})};
}

/// What has happened, for those who wait.
class progress {
 public:
  void joined() {
    std::lock_guard lock(mutex_);
    ++joined_;
    changed_.notify_all();
  }
  void seen(const node_id& id, bool there) {
    std::lock_guard lock(mutex_);
    there ? ++sights_[id] : --sights_[id];
    sightings_ += there ? 1 : -1;
    changed_.notify_all();
  }

  bool wait_until_joined(std::int64_t count) {
    return wait([&] { return joined_ >= count; });
  }
  /// By so many watchers, all of them together.
  bool wait_until_seen(std::int64_t count) {
    return wait([&] { return sightings_ == count; });
  }
  bool wait_until_seen(const node_id& id, std::int64_t by) {
    return wait([&] { return sights_[id] == by; });
  }

 private:
  template <class F> bool wait(F is_so) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, is_so);
  }

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::int64_t joined_ = 0;
  std::int64_t sightings_ = 0;
  std::map<node_id, std::int64_t> sights_;
};

/// A node as the registry knows it: its membership, on a session of the crowd.
class member final : private membership::listener {
 public:
  member(session_crowd& crowd, const std::string& root, std::shared_ptr<mailbox> home, progress& to, node_id id,
         bool watches)
      : id_(std::move(id)),
        progress_(to),
        tree_(crowd.make_session(root)),
        membership_(*tree_, home, system_clock(), *this) {
    home->post([this, watches] {
      if (watches) membership_.want_all();
      membership_.join(id_, a_life(id_.str()), some_attributes());
    });
  }
  ~member() override { leave(); }

  void leave() { tree_->stop(); }
  const node_id& id() const { return id_; }

 private:
  void registry_changed(session_state) override {}
  void joined() override { progress_.joined(); }
  void id_taken(const node_life&) override {}
  void incompatible(const error&) override {}
  void listed(const node_id& id, const node_life&) override {
    if (id != id_ && listed_.insert(id).second) progress_.seen(id, true);
  }
  void unlisted(const node_id& id) override {
    if (listed_.erase(id) == 1) progress_.seen(id, false);
  }
  void described(const node_id&, const node_attributes&) override {}
  void publishers(const actor_name&, const std::set<node_id>&) override {}
  void lists_read() override {}

  const node_id id_;
  progress& progress_;
  std::unique_ptr<registry> tree_;
  membership membership_;
  std::set<node_id> listed_;
};

/// What one step cost.
struct cost {
  session_crowd::counts asked;
  double seconds = 0;  ///< until all watchers knew of it
};

struct costs {
  cost all_join;
  double all_joined = 0;  ///< seconds until each was registered, seen or not
  cost one_joins;
  cost one_leaves;
};

/// A flock of simulated nodes below a root of its own.
class simulated_flock {
 public:
  simulated_flock(session_crowd& crowd, std::string root, std::size_t nodes, std::size_t watchers)
      : crowd_(crowd),
        root_(std::move(root)),
        nodes_(nodes),
        watchers_(std::min(watchers, nodes)),
        threads_(internal::make_caf_runtime(system_clock(), 1)),
        home_(threads_->make_mailbox("nodes")) {}

  ~simulated_flock() {
    for (auto& each : members_) each->leave();
    std::promise<void> done;
    home_->post([&] {
      home_->close();
      done.set_value();
    });
    done.get_future().wait();
  }

  result<costs> measure() {
    costs out;
    if (auto made = make_root(); !made) return made.error();
    auto joined = step(out.all_join, [&]() -> result<void> {
      const stopwatch time;
      for (std::size_t i = 0; i < nodes_; ++i) add("node" + std::to_string(i), i < watchers_);
      if (!progress_.wait_until_joined(static_cast<std::int64_t>(nodes_))) return late("to join");
      out.all_joined = time.seconds();
      return progress_.wait_until_seen(static_cast<std::int64_t>((nodes_ - 1) * watchers_)) ? result<void>()
                                                                                            : late("to see all");
    });
    if (!joined) return joined.error();
    const auto by = static_cast<std::int64_t>(watchers_);
    auto came = step(out.one_joins, [&] {
      add("newcomer", false);
      return progress_.wait_until_seen(members_.back()->id(), by) ? result<void>() : late("to see a newcomer");
    });
    if (!came) return came.error();
    auto left = step(out.one_leaves, [&] {
      members_.back()->leave();
      return progress_.wait_until_seen(members_.back()->id(), 0) ? result<void>() : late("to see one leave");
    });
    if (!left) return left.error();
    return out;
  }

 private:
  void add(const std::string& id, bool watches) {
    members_.push_back(std::make_unique<member>(crowd_, root_, home_, progress_, *node_id::parse(id), watches));
  }

  result<void> make_root() {
    struct ready final : registry::listener {
      void session_changed(session_state, bool) override { is_ready.set_value(); }
      void changed(const std::string&) override {}
      std::promise<void> is_ready;
    } to;
    auto session = crowd_.make_session("");
    session->start(to);
    to.is_ready.get_future().wait();
    std::promise<result<void>> made;
    session->create(root_, "", registry::kind::persistent,
                    [&](const result<registry_entry>& e) { made.set_value(e ? result<void>() : e.error()); });
    return made.get_future().get();
  }

  /// Counts until nothing is asked any more.
  template <class F> result<void> step(cost& of, F does) {
    const auto before = crowd_.so_far();
    const stopwatch time;
    if (auto done = does(); !done) return done;
    of.seconds = time.seconds();
    for (auto last = before; crowd_.so_far() != last; std::this_thread::sleep_for(quiet)) last = crowd_.so_far();
    of.asked = crowd_.so_far() - before;
    return {};
  }

  error late(const std::string& what) const {
    const std::string broken = crowd_.has_broken() ? "; a connection to ZooKeeper broke" : "";
    return {error_code::timeout, std::to_string(nodes_) + " nodes did not get " + what + broken};
  }

  session_crowd& crowd_;
  const std::string root_;
  const std::size_t nodes_;
  const std::size_t watchers_;
  progress progress_;
  std::unique_ptr<runtime> threads_;
  std::shared_ptr<mailbox> home_;
  std::vector<std::unique_ptr<member>> members_;
};

/// Each session has a descriptor here and one in the server, which takes over our limit.
result<void> allow_sessions(std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = count + 256;
  if (limit.rlim_cur >= wanted) return {};
  if (limit.rlim_max < wanted)
    return error{error_code::refused, std::to_string(count) + " sessions need a limit of " + std::to_string(wanted) +
                                          " open files (ulimit -n); the hard limit is " +
                                          std::to_string(limit.rlim_max)};
  limit.rlim_cur = wanted;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  return error{error_code::io, std::string("setrlimit: ") + std::strerror(errno)};
}

struct reading {
  const char* measure;
  const char* unit;
  double (*of)(const costs& c, double nodes);
  bool grows = false;  ///< whether the growth of its total is reported
};

double number(std::uint64_t n) { return static_cast<double>(n); }

const std::vector<reading>& readings() {
  static const std::vector<reading> all{
      {"registered", "s", [](const costs& c, double) { return c.all_joined; }},
      {"registered_and_seen", "s", [](const costs& c, double) { return c.all_join.seconds; }, true},
      {"registered_operations", "count", [](const costs& c, double) { return number(c.all_join.asked.operations); },
       true},
      {"registered_bytes", "bytes", [](const costs& c, double) { return number(c.all_join.asked.bytes); }, true},
      {"registered_watch_events", "count", [](const costs& c, double) { return number(c.all_join.asked.watch_events); },
       true},
      {"join_seen", "ms", [](const costs& c, double) { return c.one_joins.seconds * 1e3; }},
      {"join_operations", "count", [](const costs& c, double) { return number(c.one_joins.asked.operations); }, true},
      {"join_bytes", "bytes", [](const costs& c, double) { return number(c.one_joins.asked.bytes); }, true},
      {"join_watch_events", "count", [](const costs& c, double) { return number(c.one_joins.asked.watch_events); }},
      {"leave_seen", "ms", [](const costs& c, double) { return c.one_leaves.seconds * 1e3; }},
      {"leave_operations", "count", [](const costs& c, double) { return number(c.one_leaves.asked.operations); }, true},
      {"leave_bytes", "bytes", [](const costs& c, double) { return number(c.one_leaves.asked.bytes); }, true},
      {"leave_watch_events", "count", [](const costs& c, double) { return number(c.one_leaves.asked.watch_events); }},
  };
  return all;
}

using table = std::map<std::size_t, std::vector<costs>>;  ///< the repeats, by nodes

void report_costs(const settings& with, const report& to, const table& seen) {
  for (const auto& [nodes, repeats] : seen) {
    for (const auto& r : readings()) {
      measurement m{"registry", r.measure, r.unit, {}, {}, {}};
      m.parameters = {{"nodes", nodes}, {"watchers", with.number("watchers")}};
      for (const auto& c : repeats) m.repeats.push_back(r.of(c, number(nodes)));
      to(m);
    }
  }
}

/// From the fewest to the most nodes.
void report_growth(const settings& with, const report& to, const table& seen) {
  if (seen.size() < 2) return;
  const auto& [few, of_few] = *seen.begin();
  const auto& [many, of_many] = *seen.rbegin();
  for (const auto& r : readings()) {
    if (!r.grows) continue;
    measurement m{"registry", std::string(r.measure) + "_growth", "exponent", {}, {}, {}};
    m.parameters = {{"nodes", value::list{few, many}}, {"watchers", with.number("watchers")}};
    for (std::size_t i = 0; i < of_few.size(); ++i)
      m.repeats.push_back(
          growth_exponent(number(few), r.of(of_few[i], number(few)), number(many), r.of(of_many[i], number(many))));
    to(m);
  }
}

result<void> run(const settings& with, const report& to) {
  const auto& sizes = with.list("nodes");
  const auto most = static_cast<std::size_t>(*std::max_element(sizes.begin(), sizes.end()));
  if (auto allowed = allow_sessions(most); !allowed) return allowed;
  auto on = stage::set_up(with, heap_mib);
  if (!on) return on.error();
  table seen;
  for (const auto size : sizes) {
    const auto nodes = static_cast<std::size_t>(size);
    for (int repeat = 0; repeat < with.repeats; ++repeat) {
      session_crowd crowd(on->zookeeper().port());
      const auto root = "/flock" + std::to_string(nodes) + "-" + std::to_string(repeat);
      simulated_flock flock(crowd, root, nodes, static_cast<std::size_t>(with.number("watchers")));
      auto cost = flock.measure();
      if (!cost) return cost.error();
      seen[nodes].push_back(*cost);
    }
  }
  report_costs(with, to, seen);
  report_growth(with, to, seen);
  return {};
}

}  // namespace

workload registry_workload() {
  return {"registry",
          "what a flock of simulated nodes costs ZooKeeper: all of them joining at once, one more that joins, one that "
          "leaves; operations, bytes, watch events and time; and how each grows with the flock",
          {{"nodes", "100,1000,10000", "how many"}, {"watchers", "10", "how many of them watch all others"}},
          run};
}

}  // namespace flock::bench

#include "tools/bench/notify.hpp"

#include "libflock/core/node_core.hpp"
#include "tools/bench/disk_floor.hpp"
#include "tools/bench/quiet_resource.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/stopwatch.hpp"
#include "tools/bench/tcp_floor.hpp"

#include <algorithm>
#include <filesystem>
#include <future>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

using instant = stopwatch::clock::time_point;

// A notification as it is stored, within a factor of two.
constexpr std::size_t record_bytes = 200;
constexpr std::size_t echo_bytes = 64;
constexpr milliseconds patience{60'000};

double microseconds(instant from, instant to) { return std::chrono::duration<double, std::micro>(to - from).count(); }

/// Sends notifications as a daemon does that is asked for them. Lives in its node's home.
class volley {
 public:
  volley(node_core& core, wanted_action what, std::size_t count)
      : core_(core), what_(std::move(what)), asked_(count), accepted_(count) {}

  /// So many at once, each followed by another one when this node has accepted it. Blocks until all are accepted.
  result<void> send(std::size_t in_flight) {
    return run([this, in_flight] {
      after_ = receipt_state::queued;
      for (std::size_t i = 0; i < in_flight; ++i) next();
    });
  }

  /// Each after the one before has succeeded, so that none waits behind another. Blocks until all have.
  result<void> send_one_by_one() {
    return run([this] {
      after_ = receipt_state::succeeded;
      listening_ = core_.on_progress([this](const notification_record& r) {
        if (r.state() == receipt_state::succeeded) go_on();
        if (is_terminal(r.state()) && r.state() != receipt_state::succeeded) end(r.last().why);
      });
      next();
    });
  }

  const std::vector<instant>& asked() const { return asked_; }
  const std::vector<instant>& accepted() const { return accepted_; }

 private:
  template <class Begin> result<void> run(Begin begin) {
    auto ended = ended_.get_future();
    core_.home().post(begin);
    auto how = ended.get();
    listening_.reset();
    return how;
  }

  void next() {
    if (sent_ == asked_.size()) return;
    const auto number = sent_++;
    asked_[number] = stopwatch::clock::now();
    core_.notify(what_, [this, number](const result<std::vector<notifier::sent>>& all) { taken(number, all); });
  }

  void taken(std::size_t number, const result<std::vector<notifier::sent>>& all) {
    accepted_[number] = stopwatch::clock::now();
    if (!all) return end(all.error());
    if (const auto& first = all->front(); !first.taken) return end(first.taken.error());
    if (after_ == receipt_state::queued) go_on();
  }

  void go_on() {
    if (++done_ == asked_.size()) return end({});
    next();
  }

  void end(std::optional<error> why) {
    if (std::exchange(has_ended_, true)) return;
    sent_ = asked_.size();
    ended_.set_value(why ? result<void>(*why) : result<void>());
  }

  node_core& core_;
  const wanted_action what_;
  std::vector<instant> asked_;
  std::vector<instant> accepted_;
  receipt_state after_ = receipt_state::queued;  ///< what is followed by the next one
  std::shared_ptr<void> listening_;
  std::size_t sent_ = 0;
  std::size_t done_ = 0;
  bool has_ended_ = false;
  std::promise<result<void>> ended_;
};

/// When the actions after the first `before` were started, in the order of the notifications, which is kept.
result<std::vector<instant>> starts_after(const ref<quiet_resource>& there, std::size_t before, std::size_t count) {
  std::vector<instant> all;
  const auto until = stopwatch::clock::now() + patience;
  while (all.size() < count) {
    auto more = there.call(&quiet_resource::starts, static_cast<std::int64_t>(before + all.size()));
    if (!more) return more.error();
    for (const auto nanoseconds : *more) all.emplace_back(std::chrono::nanoseconds(nanoseconds));
    if (stopwatch::clock::now() > until)
      return error{error_code::timeout, std::to_string(all.size()) + " of " + std::to_string(count) + " were started"};
    // Not so often that the polling is what is measured.
    if (more->empty()) std::this_thread::sleep_for(milliseconds(5));
  }
  return all;
}

/// Until the sender has heard of the end of all that it sent: what comes next is not to wait behind that.
result<void> settle(const node& sender) {
  auto& core = sender.core();
  const auto until = stopwatch::clock::now() + patience;
  while (true) {
    std::promise<std::size_t> open;
    core.home().post([&] { open.set_value(core.deliveries().records().open()); });
    const auto left = open.get_future().get();
    if (left == 0) return {};
    if (stopwatch::clock::now() > until)
      return error{error_code::timeout, std::to_string(left) + " notifications do not end"};
    std::this_thread::sleep_for(milliseconds(5));
  }
}

double per_second(const std::vector<instant>& asked, const std::vector<instant>& then) {
  return static_cast<double>(asked.size()) / microseconds(asked.front(), then.back()) * 1e6;
}

std::vector<double> times(const std::vector<instant>& asked, const std::vector<instant>& then) {
  std::vector<double> all;
  for (std::size_t i = 0; i < asked.size(); ++i) all.push_back(microseconds(asked[i], then[i]));
  return all;
}

constexpr std::size_t group = 16;

constexpr const char* sync_floor = "append of 200 B and fdatasync";
constexpr const char* group_sync_floor = "the same by 16 threads, group commit";
constexpr const char* echo_floor = "blocking TCP_NODELAY echo of 64 B";

/// Both ends, connected.
struct ends {
  const stage& on;
  node& sender;
  ref<quiet_resource> there;
  tcp_peer echo;
  wanted_action what;
  std::size_t started = 0;  ///< actions so far
};

/// The numbers of one kind of volley, over the repeats.
class notify_report {
 public:
  explicit notify_report(value::map parameters) : parameters_(std::move(parameters)) {}

  void add(const std::string& measure, const std::string& unit, double measured,
           const std::vector<std::pair<std::string, double>>& floors) {
    auto at = std::find_if(all_.begin(), all_.end(), [&](const measurement& m) { return m.measure == measure; });
    if (at == all_.end()) {
      at = all_.insert(all_.end(), {"notify", measure, unit, parameters_, {}, {}});
      for (const auto& [what, number] : floors) at->floors.push_back({what, {}});
    }
    at->repeats.push_back(measured);
    for (std::size_t i = 0; i < floors.size(); ++i) at->floors[i].repeats.push_back(floors[i].second);
  }

  void send(const report& to) const {
    for (const auto& m : all_) to(m);
  }

 private:
  value::map parameters_;
  std::vector<measurement> all_;
};

/// How many are accepted and started when the sender does not wait for the receiver.
result<void> flood(ends& e, std::size_t count, std::size_t in_flight, notify_report& to) {
  const auto few = std::min<std::size_t>(count, 500);
  auto syncs = sync_times(e.on.folder(), record_bytes, few);
  if (!syncs) return syncs.error();
  auto together = group_sync_rate(e.on.folder(), record_bytes, few * group, group);
  if (!together) return together.error();
  const double alone = static_cast<double>(few) / std::accumulate(syncs->begin(), syncs->end(), 0.0) * 1e6;

  volley all(e.sender.core(), e.what, count);
  if (auto sent = all.send(in_flight); !sent) return sent;
  auto starts = starts_after(e.there, std::exchange(e.started, e.started + count), count);
  if (!starts) return starts.error();
  to.add("accepted", "1/s", per_second(all.asked(), all.accepted()),
         {{sync_floor, alone}, {group_sync_floor, *together}});
  to.add("started", "1/s", per_second(all.asked(), *starts), {{sync_floor, alone}, {group_sync_floor, *together}});
  auto waits = times(all.asked(), all.accepted());
  to.add("accepted_p50", "us", percentile(waits, 50), {{sync_floor, percentile(*syncs, 50)}});
  to.add("accepted_p99", "us", percentile(waits, 99), {{sync_floor, percentile(*syncs, 99)}});
  return settle(e.sender);
}

/// How long one takes to the start of its action when nothing else is on its way.
result<void> pace(ends& e, std::size_t count, notify_report& to) {
  auto echoes = echo_times(e.echo, echo_bytes, count);
  if (!echoes) return echoes.error();
  volley all(e.sender.core(), e.what, count);
  if (auto sent = all.send_one_by_one(); !sent) return sent;
  auto starts = starts_after(e.there, std::exchange(e.started, e.started + count), count);
  if (!starts) return starts.error();
  auto waits = times(all.asked(), *starts);
  to.add("started_p50", "us", percentile(waits, 50), {{echo_floor, percentile(*echoes, 50)}});
  to.add("started_p99", "us", percentile(waits, 99), {{echo_floor, percentile(*echoes, 99)}});
  return {};
}

/// Asked of the folder, not of the code: what is measured is what happens.
std::string storage_kind(const stage& on, const std::string& id) {
  std::error_code failed;
  return std::filesystem::is_empty(on.state_dir(id), failed) ? "memory" : "journal";
}

result<void> measure(const settings& with, const report& to, ends& e) {
  const auto count = static_cast<std::size_t>(with.number("notifications"));
  auto parameters = with.common();
  parameters.emplace("notifications", count);
  notify_report warm_up({});
  if (auto warm = flood(e, std::max<std::size_t>(count / 10, 1), group, warm_up); !warm) return warm;
  parameters.emplace("storage", storage_kind(e.on, e.sender.id().str()));
  for (const auto in_flight : with.list("in-flight")) {
    parameters.insert_or_assign("in_flight", in_flight);
    notify_report results(parameters);
    for (int repeat = 0; repeat < with.repeats; ++repeat)
      if (auto done = flood(e, count, static_cast<std::size_t>(in_flight), results); !done) return done;
    results.send(to);
  }
  const auto few = std::max<std::size_t>(count / 10, 1);
  parameters.erase("in_flight");
  parameters.insert_or_assign("notifications", few);
  notify_report results(parameters);
  for (int repeat = 0; repeat < with.repeats; ++repeat)
    if (auto done = pace(e, few, results); !done) return done;
  results.send(to);
  return {};
}

result<void> run(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  auto receiver = on->start_node_role("quiet", "receiving");
  if (!receiver) return receiver.error();
  auto sender = on->start_node("sending");
  if (!sender) return sender.error();
  auto there = sender->find<quiet_resource>(std::string("receiving/") + quiet_resource::name, patience);
  if (!there) return on->with_log(there.error());
  auto echo = tcp_peer::start("tcp_echo", on->log(), echo_bytes);
  if (!echo) return echo.error();
  wanted_action what{*resource_name::parse(quiet_resource::name), "run", {}};
  what.where.nodes = {*node_id::parse("receiving")};
  ends e{*on, *sender, *there, *std::move(echo), std::move(what)};
  auto done = measure(with, to, e);
  return done ? done : on->with_log(done.error());
}

int be_quiet(const std::vector<std::string>& arguments) {
  auto node = start_node(arguments);
  if (!node) return failed(node.error());
  if (auto published = node->publish<quiet_resource>(quiet_resource::name); !published)
    return failed(published.error());
  return node->wait();
}

}  // namespace

workload notify_workload() {
  return {
      "notify",
      "durable notifications to a resource on another node whose action does nothing: how many a second are "
      "accepted by the sender and started by the receiver, and how long each takes from the request on",
      {{"notifications", "10000", "how many in a repeat"}, {"in-flight", "1,16,256", "so many are asked for at once"}},
      run};
}

role quiet_role() { return {"quiet", be_quiet}; }

}  // namespace flock::bench

#include "tests/chaos/stage.hpp"

#include "tests/support/polling.hpp"
#include "tools/cluster/files.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace flock::chaos {

using testing::eventually;
using testing::local_cluster;

namespace {

namespace fs = std::filesystem;

// A journal of some thousand notifications may have to be worked off first, by a machine that has other things to do.
constexpr milliseconds patience_to_heal{60'000}, patience_to_settle{90'000};
constexpr auto prefix = "bender";

std::string place_for(const std::string& test) {
  const char* given = std::getenv("FLOCK_CHAOS_FOLDER");
  if (given) return std::string(given) + "/" + test;
  auto made = testing::make_temporary_folder();
  if (!made) throw std::runtime_error(to_string(made.error()));
  return *made;
}

template <class T> T require(result<T> r) {
  if (!r) throw std::runtime_error(to_string(r.error()));
  return std::move(*r);
}

/// The processes whose command line names something in a folder.
std::string processes_in(const std::string& folder) {
  std::string all;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto pid = entry.path().filename().string();
    if (!std::isdigit(static_cast<unsigned char>(pid.front()))) continue;
    auto command = testing::contents(entry.path().string() + "/cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (command.find(folder + "/") != std::string::npos) all += " " + pid + " (" + command + ")";
  }
  return all;
}

std::int64_t open_notifications(const testing::cluster_node& node) {
  const auto status = node.get("/v1/status");
  const auto* open = status ? (*status)["queues"]["notifications_open"].as_int() : nullptr;
  return open ? *open : -1;
}

bool is_registered(const testing::cluster_node& node) {
  const auto status = node.get("/v1/status");
  return status && (*status)["registry"]["registered"] == value(true);
}

bool overlap(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::any_of(some.begin(), some.end(), [&](const std::string& one) {
    return std::find(others.begin(), others.end(), one) != others.end();
  });
}

}  // namespace

stage::stage(const std::string& test, options o) : test_(test), options_(std::move(o)), folder_(place_for(test)) {
  local_cluster::options cluster;
  cluster.folder = folder_ + "/flock";
  cluster.nodes = options_.nodes;
  cluster.zookeepers = options_.zookeepers;
  cluster.prefix = prefix;
  cluster.tls = true;
  cluster.common = {{"session-timeout", format_duration(session_timeout)}, {"heartbeat", "200ms"}};
  fs::create_directories(folder_ + "/written");
  std::vector<std::string> ids;
  for (int i = 0; i < options_.nodes; ++i) ids.push_back(prefix + std::to_string(i));
  for (const auto& id : ids) cluster.resources[id] = workload::resources(folder_ + "/written", id);
  if (options_.partitions) {
    network_ = require(private_network::make(ids));
    network_->take_in(cluster);
  }
  if (!options_.small_disk_of.empty()) make_disk(cluster);
  flock_.emplace(require(local_cluster::start(std::move(cluster))));
}

stage::~stage() {
  load_.reset();
  witness_.reset();
  flock_.reset();
  disk_.reset();
  network_.reset();
  if (!finished_ || !wrong_.empty()) {
    if (!finished_) std::cerr << report();
    return;
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void stage::make_disk(local_cluster::options& o) {
  const auto where = folder_ + "/disk";
  fs::create_directories(where);
  constexpr int megabytes = 32;
  auto mounted = small_disk::mount(where, megabytes);
  if (!mounted) {
    why_no_disk_ = mounted.error().what;
    return;
  }
  disk_ = *std::move(mounted);
  o.each[options_.small_disk_of].emplace_back("state-dir", where);
}

void stage::begin_load() {
  auto o = options_.load;
  o.nodes = ids();
  o.folder = folder_ + "/written";
  for (const auto& id : o.nodes) o.sockets[id] = flock_->node(id).socket();
  witness_.emplace(o.sockets);
  load_.emplace(o, chance_);
  let_pass(10);
}

void stage::end_load() {
  load_->stop();
  note("the load ends: " + std::to_string(load_->accepted()) + " notifications were accepted; " +
       std::to_string(load_->refused()) + " requests were not, the last one: " + load_->last_refusal());
}

void stage::let_pass(std::size_t notifications) {
  const auto enough = load_->accepted() + notifications;
  expect_soon([&] { return load_->accepted() >= enough; }, "notifications go on being accepted");
}

void stage::inflict(const fault& f, milliseconds lasts) {
  during(f, lasts, [] {});
}

void stage::during(const fault& f, milliseconds lasts, const std::function<void()>& work) {
  note(f.name);
  const auto begun = f.begin();
  expect(begun.has_value(), f.name + ": " + (begun ? "" : to_string(begun.error())));
  std::this_thread::sleep_for(f.lasts > milliseconds(0) ? f.lasts : lasts);
  work();
  const auto ended = f.end();
  expect(ended.has_value(), "end of " + f.name + ": " + (ended ? "" : to_string(ended.error())));
  note("over: " + f.name);
}

void stage::mix(const std::vector<maker>& kinds, milliseconds time) {
  struct active {
    fault what;
    time_point until;
  };
  constexpr std::size_t at_once = 2;
  std::vector<active> now_active;
  const auto end_due = [&](time_point now) {
    std::erase_if(now_active, [&](const active& a) {
      if (now < a.until) return false;
      const auto ended = a.what.end();
      expect(ended.has_value(), "end of " + a.what.name + ": " + (ended ? "" : to_string(ended.error())));
      note("over: " + a.what.name);
      return true;
    });
  };
  const auto until = system_clock().now() + time;
  while (system_clock().now() < until && wrong_.empty()) {
    end_due(system_clock().now());
    auto next = chance_.one_of(kinds)(chance_);
    const auto lasts =
        next.lasts > milliseconds(0) ? next.lasts : chance_.between(milliseconds(50), milliseconds(4000));
    const bool is_free = std::none_of(now_active.begin(), now_active.end(),
                                      [&](const active& a) { return overlap(a.what.victims, next.victims); });
    if (is_free && now_active.size() < at_once) {
      note(next.name);
      const auto begun = next.begin();
      expect(begun.has_value(), next.name + ": " + (begun ? "" : to_string(begun.error())));
      now_active.push_back({std::move(next), system_clock().now() + lasts});
    }
    std::this_thread::sleep_for(chance_.between(milliseconds(20), milliseconds(800)));
  }
  end_due(time_point::max());
}

void stage::expect(bool is_so, const std::string& what) {
  if (is_so) return;
  wrong_.push_back(what);
  note("WRONG: " + what);
}

void stage::expect_soon(const std::function<bool()>& is_so, const std::string& what, milliseconds patience) {
  // Once something is wrong, the rest hardly gets better, and it is the first that matters.
  if (!wrong_.empty()) patience = std::min(patience, milliseconds(2000));
  expect(eventually(is_so, patience), what + ", within " + format_duration(patience));
}

void stage::expect_nobody_was_called_dead() {
  for (const auto& w : witness_->words())
    if (w.type == "failed" || w.type == "left") expect(false, w.node + " said that " + w.peer + " " + w.type);
}

std::string stage::finish() {
  end_load();
  wait_until_healed();
  wait_until_settled();
  ask_what_became();
  witness_.reset();
  end_flock();
  for (auto& v : violations(history_, options_.excused)) wrong_.push_back(std::move(v));
  finished_ = true;
  if (!wrong_.empty()) return report();
  const auto again = std::count_if(history_.accepted.begin(), history_.accepted.end(),
                                   [&](const auto& n) { return history_.told[n.sender][n.id].redelivered; });
  std::cout << "chaos: " << test_ << " seed=" << choices::seed() << " kills=" << kills_
            << " notifications=" << history_.accepted.size() << " redelivered=" << again << std::endl;
  return {};
}

void stage::wait_until_healed() {
  const auto seen = flock_->wait_until_all_see_all(patience_to_heal);
  expect(seen.has_value(), "all see all: " + (seen ? "" : to_string(seen.error())));
  for (const auto& id : ids())
    expect_soon([&] { return is_registered(flock_->node(id)); }, id + " is registered", patience_to_heal);
}

void stage::wait_until_settled() {
  for (const auto& id : ids())
    expect_soon([&] { return open_notifications(flock_->node(id)) == 0; }, "all notifications of " + id + " have ended",
                patience_to_settle);
}

void stage::ask_what_became() {
  history_ = load_->take();
  for (const auto& id : ids()) {
    const auto all = flock_->node(id).get("/v1/notifications", patience_to_settle);
    const auto* list = all ? (*all)["notifications"].as_list() : nullptr;
    expect(list != nullptr, id + " tells its notifications: " + (all ? "" : to_string(all.error())));
    if (!list) continue;
    for (const auto& listed : *list) {
      const auto end = told_end::from_value(listed);
      if (const auto* known = listed["id"].as_text(); end && known) history_.told[id].emplace(*known, *end);
    }
  }
}

void stage::end_flock() {
  for (const auto& id : ids()) {
    const auto status = flock_->node(id).stop();
    expect(status == 0, id + " ended with status " + std::to_string(status));
  }
  flock_.reset();
  std::string left;
  const bool none = eventually([&] { return (left = processes_in(folder_)).empty(); });
  expect(none, "nothing runs on:" + left);
}

void stage::note(const std::string& what) {
  std::ofstream(folder_ + "/chaos.log", std::ios::app) << format_time(system_clock().wall()) << ' ' << what << '\n';
  if (what.starts_with("kill -9 of " + std::string(prefix))) ++kills_;
}

std::string stage::report() const {
  constexpr std::size_t most = 20;
  std::string text = "\n";
  for (std::size_t i = 0; i < std::min(most, wrong_.size()); ++i) text += "  " + wrong_[i] + "\n";
  if (wrong_.size() > most) text += "  and " + std::to_string(wrong_.size() - most) + " more\n";
  return text + "  replay with FLOCK_CHAOS_SEED=" + std::to_string(choices::seed()) + "; the logs are in " + folder_ +
         ", the faults in its chaos.log:\n" + testing::contents(folder_ + "/chaos.log");
}

result<void> partitions_are_possible() {
  const auto tried = private_network::make({"probe"});
  if (!tried) return tried.error();
  return {};
}

}  // namespace flock::chaos

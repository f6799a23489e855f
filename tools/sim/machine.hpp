#pragma once

#include "tools/sim/chef_process.hpp"
#include "tools/sim/disk.hpp"
#include "tools/sim/life.hpp"
#include "tools/sim/world.hpp"
#include <flock/clock.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flock::simulator {

/// The clock of one machine: time passes everywhere at the same pace, but its wall clock may be wrong.
class machine_clock final : public clock {
 public:
  explicit machine_clock(const clock& true_time) : true_(true_time) {}

  time_point now() const override { return true_.now(); }
  wall_time wall() const override { return true_.wall() + ahead_; }
  void set_ahead(milliseconds by) { ahead_ = by; }
  milliseconds ahead() const { return ahead_; }

 private:
  const clock& true_;
  milliseconds ahead_{0};
};

/// A computer on which one node lives one life after the other, with what outlives them.
class machine {
 public:
  machine(world& in, node_description what, std::function<intent(const notification&)> meaning);
  ~machine();

  const node_id& id() const { return what_.id; }
  const std::string& name() const { return what_.id.str(); }
  const node_description& what() const { return what_; }

  /// The present life; null while the process is down.
  life* running() { return life_ && !life_->has_crashed() && !stopping_ ? life_.get() : nullptr; }

  void start();
  /// At once, also from within a turn of the node.
  void crash(bool last_words_arrive);
  void stop();
  /// Takes away what crashed or has stopped: to be called between two turns. \returns whether there was something
  bool clear_up();

  /// The process will crash at the so many-eth of these moments.
  void crash_at(disk::moment m, std::size_t countdown);
  void crash_in_action(std::size_t countdown);
  /// The next Chef run that performs something is killed in the middle of the so many-eth.
  void kill_chef_in_action(std::size_t countdown) { until_chef_dies_ = countdown; }
  void disarm();

  // Before the next start.
  void lose_disk();
  void damage(std::size_t records);
  void move();

  void set_clock(milliseconds ahead);
  /// Somebody edits its files; nobody reads them before a reload or the next start.
  node_description& files() { return what_; }

  /// A user, or flockd, starts one, if none is under way: Chef lets no two run at once.
  void start_chef(const chef_script& what);
  void kill_chef();
  bool is_running_chef() const { return chef_ && !chef_->is_over(); }

  disk& storage() { return *disk_; }

 private:
  void passes(disk::moment m);
  void acts();
  void chef_acts();
  void start_command(flock::machine::chef_ended ended);
  void clear_up_chef();
  bool counts_down(std::optional<std::size_t>& left);

  world& in_;
  node_description what_;
  std::function<intent(const notification&)> meaning_;
  machine_clock clock_;
  std::unique_ptr<disk> disk_;
  int disks_ = 1;
  int lives_ = 0;
  int addresses_ = 1;
  bool stopping_ = false;
  bool stopped_ = false;
  std::unique_ptr<life> life_;
  std::unique_ptr<chef_process> chef_;
  flock::machine::chef_ended chef_ended_;  // who waits for its end, if flockd started it
  int chefs_ = 0;
  std::deque<std::unique_ptr<memory_registry>> abandoned_;  // whose sessions the servers still keep
  std::shared_ptr<mailbox> servers_;                        // of the registry, as far as they care for this machine
  std::optional<std::size_t> until_crash_;
  std::optional<disk::moment> crash_moment_;
  std::optional<std::size_t> until_action_crash_;
  std::optional<std::size_t> until_chef_dies_;
};

}  // namespace flock::simulator

#pragma once

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
  void disarm();

  // Before the next start.
  void lose_disk();
  void damage(std::size_t records);
  void move();

  void set_clock(milliseconds ahead);
  void subscribe(std::vector<subscription> all);

  disk& storage() { return *disk_; }

 private:
  void passes(disk::moment m);
  void acts();
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
  std::deque<std::unique_ptr<memory_registry>> abandoned_;  // whose sessions the servers still keep
  std::shared_ptr<mailbox> servers_;                        // of the registry, as far as they care for this machine
  std::optional<std::size_t> until_crash_;
  std::optional<disk::moment> crash_moment_;
  std::optional<std::size_t> until_action_crash_;
};

}  // namespace flock::simulator

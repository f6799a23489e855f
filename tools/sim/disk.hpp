#pragma once

#include "libflock/seams/storage.hpp"
#include "tools/sim/dice.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flock::simulator {

/// The disk of a simulated machine: what is durable outlives the process that wrote it. Writes become durable one after
/// the other and some time later.
///
/// A crash keeps a prefix of the writes that were not told to be durable yet; each write is whole or not there.
class disk final : public storage {
 public:
  /// At which moments of a write a crash is most interesting.
  enum class moment { given, queued, durable };

  disk(std::string id, testing::manual_runtime& world, const testing::manual_clock& time, dice& random);

  void write(std::vector<record_change> changes, written durable) override;
  result<void> read(std::string_view prefix, const visitor& each) override { return kept_.read(prefix, each); }
  const std::vector<std::string>& damaged() const override { return kept_.damaged(); }
  const std::string& id() const override { return kept_.id(); }
  std::optional<error> trouble() const override { return kept_.trouble(); }
  statistics stats() const override { return kept_.stats(); }
  /// Everything that was written becomes durable, if it is not full.
  void stop() override;

  // What happens to it.

  /// How long each write takes, at most.
  void take(milliseconds most) { latency_ = most; }
  void fill(bool yes);
  bool is_full() const { return kept_.trouble().has_value(); }

  /// Called at each moment of each write; it may let the machine crash.
  void watch(std::function<void(moment)> f) { watch_ = std::move(f); }

  /// The process that wrote is gone. What it had written and was not durable is kept up to some write. From now on
  /// nothing is taken, until open().
  void crash();
  void open();
  /// Some records will be found damaged when it is next opened. \returns their keys
  std::vector<std::string> damage(std::size_t count);

  std::vector<std::string> keys(std::string_view prefix) { return kept_.keys(prefix); }

 private:
  void happens(moment m);
  void sync_later();

  testing::manual_storage kept_;
  testing::manual_runtime& world_;
  const testing::manual_clock& time_;
  dice& random_;
  std::shared_ptr<mailbox> controller_;
  milliseconds latency_{2};
  time_point busy_until_{};
  bool is_open_ = true;
  bool wrote_ = false;  // since it was opened
  std::function<void(moment)> watch_;
};

}  // namespace flock::simulator

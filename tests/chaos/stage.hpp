#pragma once

#include "tests/chaos/choices.hpp"
#include "tests/chaos/fault.hpp"
#include "tests/chaos/history.hpp"
#include "tests/chaos/private_network.hpp"
#include "tests/chaos/witness.hpp"
#include "tests/chaos/workload.hpp"
#include <flock/clock.hpp>
#include <flock/testing/local_cluster.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flock::chaos {

/// Where a test takes place: a flock with its network, the load, the faults, and the judgement in the end. A test
/// prepares (the constructor, and what it does before begin_load()), runs (inflict(), mix()) and checks (finish()).
///
/// Everything is in one folder, which stays if the test fails, with the logs of all nodes: in FLOCK_CHAOS_FOLDER, or
/// else a temporary one.
class stage {
 public:
  struct options {
    int nodes = 3;
    int zookeepers = 1;
    bool partitions = false;      ///< in a private_network; else all on loopback, with TLS all the same
    std::string small_disk_of{};  ///< the node whose state-dir is a small_disk, if there can be one; empty: none
    excuses excused{};
    workload::options load{};  ///< nodes, sockets and folder are filled in
  };

  /// The flock is up and all see all when this returns.
  /// Throws std::runtime_error if it cannot be; see partitions_are_possible().
  stage(const std::string& test, options o);
  ~stage();
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// Short enough for tests, long enough for a machine that has other things to do.
  static constexpr milliseconds session_timeout{2000};

  testing::local_cluster& flock() { return *flock_; }
  bool has_network() const { return network_ != nullptr; }
  private_network& network() const { return *network_; }
  /// None if none was asked for, or there can be none.
  small_disk* disk() const { return disk_.get(); }
  const std::string& disk_owner() const { return options_.small_disk_of; }
  const std::string& why_no_disk() const { return why_no_disk_; }
  choices& chance() { return chance_; }
  std::vector<std::string> ids() const { return flock_->ids(); }
  const std::string& folder() const { return folder_; }

  void begin_load();
  void end_load();
  /// Until so many more notifications have been accepted. Something is wrong if that takes longer than half a minute.
  void let_pass(std::size_t notifications);

  /// Begins a fault, lets `lasts` (or its own time) go by under load, and ends it.
  void inflict(const fault& f, milliseconds lasts);
  /// The same, and does something before it ends it.
  void during(const fault& f, milliseconds lasts, const std::function<void()>& work);
  /// Faults of these kinds, one after the other and at once, at random instants.
  using maker = std::function<fault(choices&)>;
  void mix(const std::vector<maker>& kinds, milliseconds time);

  /// Notes what must be so, now or soon, and goes on.
  void expect(bool is_so, const std::string& what);
  void expect_soon(const std::function<bool()>& is_so, const std::string& what,
                   milliseconds patience = milliseconds(30'000));
  /// No node has called another one dead, or seen it leave.
  void expect_nobody_was_called_dead();

  /// Ends the load, waits until all has come to its end, ends the flock, and judges.
  /// \returns what is wrong, with the seed and the folder; empty if all is well
  std::string finish();

 private:
  void make_disk(testing::local_cluster::options& o);
  void wait_until_healed();
  void wait_until_settled();
  void ask_what_became();
  void end_flock();
  void note(const std::string& what);
  std::string report() const;

  const std::string test_;
  const options options_;
  choices chance_{choices::seed()};
  std::string folder_;
  std::unique_ptr<private_network> network_;
  std::unique_ptr<small_disk> disk_;
  std::string why_no_disk_;
  std::optional<testing::local_cluster> flock_;
  std::optional<witness> witness_;
  std::optional<workload> load_;
  history history_;
  std::vector<std::string> wrong_;
  int kills_ = 0;
  bool finished_ = false;
};

/// Errors: refused (why there can be no partitions here)
result<void> partitions_are_possible();

}  // namespace flock::chaos

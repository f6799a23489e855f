#pragma once

#include "libflock/delivery/scribe.hpp"
#include "libflock/seams/storage.hpp"
#include "libflock/words/debts.hpp"
#include "libflock/words/run.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// What runs owe, in the journal. Lives in one mailbox, which is closed before the journal goes.
///
/// An entry is removed in the write that has the notifications it became, or the event that says why not: so a crash
/// neither loses nor doubles them.
///
/// Stored, values in binary form:
/// | key                      | what                                                                              |
/// |--------------------------|-----------------------------------------------------------------------------------|
/// | d/<16 hexadecimal digits> | {"run","now","what": JSON form of a wanted_action,"causes": list of lists of causes} |
/// |                          | {"run","step": {"resource","action"}}: a step that was about to act                |
///
/// While the disk takes nothing, no step waits for it: a run goes on, and what it owes is in memory until it does.
///
/// Holds between two turns: who waits for the disk waits for a write that is under way, or will be; entries become
/// durable in the order in which they are given to the disk, which is that of their numbers.
class debt_journal final : public debts, private scribe::listener {
 public:
  /// What an earlier life left.
  struct left_over {
    number entry;
    std::string run;
    bool now = false;                   ///< it was to be sent, whatever the run comes to
    std::optional<wanted_action> what;  ///< or:
    std::string resource, action;       ///< of the step that was under way
  };

  debt_journal(storage& disk, scribe& records) : disk_(disk), scribe_(records) { scribe_.join(*this); }

  /// Reads back what storage kept. Before anything else. What cannot be read is gone, and repairs() says so.
  /// Errors: io
  result<void> restore();
  const std::vector<std::string>& repairs() const { return repairs_; }
  /// Once: whoever takes them sends or says each, and settles it.
  std::vector<left_over> take_left_over() { return std::exchange(left_over_, {}); }

  number owe(const std::string& run, const wanted_action& what, bool now) override;
  void due(number n, const std::string& run, const wanted_action& what) override;
  void intend(const std::string& run, const resource_name& what, const std::string& action,
              std::function<void(number)> begin) override;
  void settle(number n) override;

  /// Whether all that was entered so far is durable.
  bool are_durable() const { return durable_ == last_; }
  /// Calls f, once, when all that was entered so far is durable.
  /// Errors: io (the disk is full or broken), maybe_done (it became so, or the node stopped, before it was durable)
  void when_durable(std::function<void(result<void>)> f);

  /// Lets time pass.
  void tick();

  broken check() const;

 private:
  void before_write() override;
  void not_written(const error& why) override {
    give_up_waiting({error_code::maybe_done, "not durable yet: " + why.what});
  }
  void put(number n, const value& entry);
  void give_up_waiting(const error& why);

  storage& disk_;
  scribe& scribe_;
  number last_ = 0;
  number written_ = 0;                                                  // the last entry that was given to the disk
  number durable_ = 0;                                                  // the last one that is durable
  std::map<std::uint64_t, std::function<void(result<void>)>> waiting_;  // for what they entered to be durable
  std::uint64_t next_waiting_ = 1;
  std::vector<left_over> left_over_;
  std::vector<std::string> repairs_;
};

}  // namespace flock

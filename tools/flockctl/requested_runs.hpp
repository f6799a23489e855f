#pragma once

#include "tools/flockctl/command.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace flock::ctl {

/// Asks nodes for a Chef run each, and sees all of these to their ends at once. On a terminal each has a line, which
/// says how it goes.
class requested_runs {
 public:
  struct plan {
    milliseconds splay{};  ///< each is asked at a random time within it, so that a server does not see all at once
    bool waits = false;    ///< for the ends
    time_point until;      ///< no longer than this
  };
  struct node {
    std::string id;
    std::string incarnation;  ///< empty if it is not known
  };
  /// A line for people and programs: {"node","number","state","error"}, and "output" of a run that has ended.
  using told = std::function<void(const value& line)>;

  requested_runs(const invocation& i, const std::vector<node>& nodes, const plan& p, told tell);

  /// Returns when all have been asked, and have ended if they are waited for. \returns one for each node
  std::vector<exit_code> finish();

 private:
  struct one {
    node whom;
    time_point next_look;  // until then nothing is done; the first time, it is asked
    bool asked = false;
    std::string state;  // for people who watch
    time_point since;   // it was asked
    std::int64_t number = 0;
    std::optional<exit_code> how;
  };

  void step(one& run);
  void ask(one& run);
  void look(one& run);
  bool is_another_life(const one& run) const;
  result<value> call(const one& run, const std::string& method, value::list arguments, milliseconds patience) const;
  void ended(one& run, const value& how);
  void failed(one& run, const error& why);
  void unknown(one& run, const std::string& why);
  void settle(one& run, exit_code how, std::string_view state, value error, value output);
  void show();
  bool is_over() const;
  time_point next() const;

  const invocation& i_;
  const plan plan_;
  const told tell_;
  std::vector<one> runs_;
  console::board board_;
};

}  // namespace flock::ctl

#pragma once

#include "tools/sim/manual_clock.hpp"

#include <ostream>
#include <string_view>

namespace flock::simulator {

/// What happens, for people: one line each, with simulated seconds since the beginning and the node. Costs a comparison
/// while nobody wants it.
class trace {
 public:
  /// \param to  null: nobody wants it
  trace(const testing::manual_clock& time, std::ostream* to) : time_(time), began_(time.now()), to_(to) {}

  bool is_wanted() const { return to_ != nullptr; }

  template <class... Parts> void operator()(std::string_view node, const Parts&... parts) {
    if (!is_wanted()) return;
    begin_line(node);
    ((*to_ << parts), ...);
    *to_ << '\n';
  }

 private:
  void begin_line(std::string_view node);

  const testing::manual_clock& time_;
  time_point began_;
  std::ostream* to_;
};

}  // namespace flock::simulator

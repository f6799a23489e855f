#include "tools/sim/trace.hpp"

#include <iomanip>

namespace flock::simulator {

void trace::begin_line(std::string_view node) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(time_.now() - began_).count();
  *to_ << std::setw(6) << since / 1'000'000 << '.' << std::setw(6) << std::setfill('0') << since % 1'000'000
       << std::setfill(' ') << "  " << std::left << std::setw(3) << node << std::right << ' ';
}

}  // namespace flock::simulator

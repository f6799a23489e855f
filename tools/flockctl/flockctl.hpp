#pragma once

#include "tools/flockctl/console.hpp"
#include "tools/flockctl/exit_code.hpp"
#include "tools/flockctl/local_flockd.hpp"
#include <flock/clock.hpp>

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace flock::ctl {

/// All that flockctl touches.
struct surroundings {
  std::map<std::string, std::string> environment;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::size_t width = 0;        ///< of the terminal, if `out` is one
  std::size_t talk_width = 0;   ///< of the terminal, if `err` is one
  std::size_t talk_height = 0;  ///< the same, in lines
  const clock& time;
  std::function<void(milliseconds)> sleep;
  std::function<local_flockd(const std::string& socket)> connect;
};

/// Does what a command line says, without its first word.
exit_code run(const std::vector<std::string>& words, const surroundings& around);

}  // namespace flock::ctl

#pragma once

#include "tools/flockctl/flockctl.hpp"
#include "tools/sim/manual_clock.hpp"

#include <cstddef>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace flock::testing {

/// Where a test calls flockctl: what it finds around it, and what it printed. Which flockd it talks to is the test's.
class flockctl_shell {
 public:
  virtual ~flockctl_shell() = default;

  ctl::exit_code run(const std::vector<std::string>& words) {
    std::ostringstream data, talk;
    const ctl::surroundings around{.environment = environment,
                                   .out = data,
                                   .err = talk,
                                   .out_is_terminal = out_is_terminal,
                                   .err_is_terminal = err_is_terminal,
                                   .width = 80,
                                   .time = clock,
                                   .sleep = [this](auto d) { clock.advance(d), slept += d, ++naps; },
                                   .connect = [this](const std::string& path) { return connect(path); }};
    const auto code = ctl::run(words, around);
    out = data.str();
    err = talk.str();
    return code;
  }

  manual_clock clock;
  std::map<std::string, std::string> environment;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::string out, err;  ///< of the last command
  int naps = 0;
  milliseconds slept{};

 private:
  virtual ctl::local_flockd connect(const std::string& path) = 0;
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace flock::testing

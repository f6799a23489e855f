#include <flock/standard_output.hpp>

#include <iostream>

namespace flock {

int end_of_output(std::string_view program, int code) {
  if (std::cout.flush()) return code;
  std::cerr << program << ": cannot write to stdout\n";
  return code == 0 ? 1 : code;
}

}  // namespace flock

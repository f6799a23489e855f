#include "tools/flockctl/flockctl.hpp"
#include <flock/standard_output.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

/// Nothing if it is no terminal.
winsize terminal_size(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size : winsize{};
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> all;
  for (const char* name : {"FLOCK_RUN", "FLOCK_SOCKET", "NO_COLOR"})
    if (const char* text = std::getenv(name)) all.emplace(name, text);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace flock;
  std::optional<control_client> client;
  const auto connect = [&](const std::string& socket) {
    client.emplace(socket);
    return ctl::local_flockd(ctl::local_flockd::through(*client), socket);
  };
  const auto talk = terminal_size(STDERR_FILENO);
  const ctl::surroundings around{.environment = environment(),
                                 .out = std::cout,
                                 .err = std::cerr,
                                 .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
                                 .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
                                 .width = terminal_size(STDOUT_FILENO).ws_col,
                                 .talk_width = talk.ws_col,
                                 .talk_height = talk.ws_row,
                                 .time = system_clock(),
                                 .sleep = [](milliseconds d) { std::this_thread::sleep_for(d); },
                                 .connect = connect};
  return end_of_output("flockctl", static_cast<int>(ctl::run({argv + 1, argv + argc}, around)));
}

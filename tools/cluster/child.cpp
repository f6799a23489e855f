#include "tools/cluster/child.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace flock::testing {

namespace {

error system_error(const std::string& what) { return error{error_code::io, what + ": " + std::strerror(errno)}; }

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { close(); }

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

int open_to_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_of(const child::options& o) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string text = *variable;
    if (!o.without.empty() && text.starts_with(o.without)) continue;
    if (!o.environment.contains(text.substr(0, text.find('=')))) all.push_back(std::move(text));
  }
  for (const auto& [name, value] : o.environment) all.push_back(name + "=" + value);
  return all;
}

/// Between fork and exec only what is safe in a copy of a process with threads. Tells its parent why it failed.
[[noreturn]] void become(char** command, char** environment, int output, int log, int report, bool outlives_parent,
                         pid_t parent) {
  ::setsid();
  if (!outlives_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it ended before the line above
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  int input = ::open("/dev/null", O_RDONLY);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvpe(command[0], command, environment);
  int why = errno;
  [[maybe_unused]] auto sent = ::write(report, &why, sizeof why);
  ::_exit(127);
}

int exit_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

result<child> child::start(const options& o) {
  const auto log_path = o.log.empty() ? std::string("/dev/null") : o.log;
  const auto output_path = o.output.empty() ? log_path : o.output;
  descriptor log(open_to_append(log_path));
  if (log.get() < 0) return system_error(log_path);
  const auto log_begins = static_cast<std::int64_t>(::lseek(log.get(), 0, SEEK_END));
  descriptor output(open_to_append(output_path));
  if (output.get() < 0) return system_error(output_path);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("pipe");
  descriptor reads(ends[0]);
  descriptor writes(ends[1]);
  auto command = o.command;
  auto environment = environment_of(o);
  auto command_pointers = pointers(command);
  auto environment_pointers = pointers(environment);

  auto parent = ::getpid();
  auto pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0)
    become(command_pointers.data(), environment_pointers.data(), output.get(), log.get(), writes.get(), o.outlives_us,
           parent);

  writes.close();
  int why = 0;
  if (::read(reads.get(), &why, sizeof why) == sizeof why) {
    ::waitpid(pid, nullptr, 0);
    errno = why;
    return system_error(o.command.front());
  }
  // glibc 2.36 declares pidfd_open() for C only.
  auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    auto e = system_error("pidfd_open");
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return e;
  }
  return child(pid, pidfd, std::max<std::int64_t>(0, log_begins));
}

child::child(child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::exchange(other.pidfd_, -1)),
      log_begins_(other.log_begins_),
      status_(other.status_) {}

child& child::operator=(child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(log_begins_, other.log_begins_);
  std::swap(status_, other.status_);
  return *this;
}

child::~child() {
  if (pid_ == 0) return;
  kill();
  ::close(pidfd_);
}

bool child::is_alive() { return !wait(milliseconds(0)); }

void child::signal(int number) {
  // Until it has been waited for nobody else can have its number.
  if (is_alive()) ::kill(-pid_, number);
}

void child::ask_to_end() {
  if (is_alive()) ::kill(pid_, SIGTERM);
}

std::optional<int> child::wait(milliseconds patience) {
  if (status_) return status_;
  pollfd ended{pidfd_, POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
  ::kill(-pid_, SIGKILL);  // what it left behind
  int wait_status = 0;
  ::waitpid(pid_, &wait_status, 0);
  status_ = exit_status(wait_status);
  return status_;
}

int child::stop(milliseconds patience) {
  if (patience > milliseconds(0)) {
    ask_to_end();
    signal(SIGCONT);  // if it is paused
    if (auto status = wait(patience)) return *status;
  }
  signal(SIGKILL);
  while (true) {
    if (auto status = wait(milliseconds(1000))) return *status;
  }
}

pid_t child::release() {
  if (pidfd_ >= 0) ::close(std::exchange(pidfd_, -1));
  return std::exchange(pid_, 0);
}

int free_port() {
  // Above those that services have by custom, below those that the kernel gives to outgoing connections: a server that
  // is down for a while finds it free again. Source: ip(7), ip_local_port_range; 32768 is its default
  constexpr int first = 10'000, last = 32'767;
  std::random_device seed;
  std::uniform_int_distribution<int> any(first, last);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int port = any(seed);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return port;
  }
  return 0;
}

}  // namespace flock::testing

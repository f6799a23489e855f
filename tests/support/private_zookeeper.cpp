#include "tests/support/private_zookeeper.hpp"

#include "tests/support/zookeeper_session.hpp"

#include <stdexcept>
#include <string_view>
#include <utility>

namespace flock::testing {

namespace {

constexpr milliseconds patience{30'000};

template <class T> T require(result<T> r) {
  if (!r) throw std::runtime_error(to_string(r.error()));
  return std::move(*r);
}

void require(const result<void>& r) {
  if (!r) throw std::runtime_error(to_string(r.error()));
}

}  // namespace

private_zookeeper::private_zookeeper()
    : server_(require(zookeeper_server::start({folder_.path().string(), zookeeper_server::pick_ports(1)}))) {
  require(server_.wait_until_serving(patience));
}

void private_zookeeper::restart() {
  require(server_.restart());
  require(server_.wait_until_serving(patience));
}

void private_zookeeper::wipe() { require(server_.wipe()); }

void private_zookeeper::expire(std::uint64_t session) {
  require(end_session([this](std::string_view request) { return server_.ask(request, milliseconds(5000)); }, session));
}

}  // namespace flock::testing

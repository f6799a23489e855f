#include "tests/support/transport_net.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace flock::testing {

namespace {

constexpr std::chrono::seconds patience{10};

template <class T> T must(result<T> r) {
  if (!r) throw std::runtime_error(to_string(r.error()));
  return *std::move(r);
}

}  // namespace

node_id id_of(const std::string& text) { return must(node_id::parse(text)); }

message hello_of(const hello& self) { return {.kind = message_kind::hello, .body = self.to_body()}; }

bool any_failure(const recorder& seen, dial_failure how, const std::string& part) {
  return seen.wait([&](const recorder::seen& s) {
    return std::any_of(s.failures.begin(), s.failures.end(), [&](const recorder::failure& f) {
      return f.how == how && f.why.what.find(part) != std::string::npos;
    });
  });
}

template <class F> void recorder::note(F f) {
  {
    std::lock_guard lock(mutex_);
    f();
  }
  changed_.notify_all();
}

void recorder::connected(const hello& peer) {
  note([&] { seen_.connected.push_back(peer); });
}

void recorder::received(const hello& from, message m) {
  if (on_message) on_message(from, m);
  note([&] { seen_.messages.push_back(std::move(m)); });
}

void recorder::disconnected(const hello& peer, const error& why) {
  note([&] { seen_.disconnected.push_back({peer, why}); });
}

void recorder::dial_failed(const node_id& id, dial_failure how, const error& why) {
  note([&] { seen_.failures.push_back({id, how, why}); });
}

void recorder::logged(const std::string& line) {
  note([&] { seen_.log.push_back(line); });
}

bool recorder::wait(const std::function<bool(const seen&)>& what) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return what(seen_); });
}

bool recorder::wait_connected(std::size_t times) const {
  return wait([&](const seen& s) { return s.connected.size() >= times; });
}

bool recorder::wait_disconnected(std::size_t times) const {
  return wait([&](const seen& s) { return s.disconnected.size() >= times; });
}

bool recorder::wait_messages(std::size_t count) const {
  return wait([&](const seen& s) { return s.messages.size() >= count; });
}

bool recorder::wait_logged(const std::string& part) const {
  return wait([&](const seen& s) {
    return std::any_of(s.log.begin(), s.log.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
  });
}

recorder::seen recorder::all() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

test_node::test_node(hello who, internal::tls_transport_options o) : self(std::move(who)) {
  o.log = [this](std::string_view, const std::string& line) { seen.logged(line); };
  port = must(internal::make_tls_transport(self, std::move(o)));
  address = must(port->start(seen));
}

result<void> test_node::say(const test_node& to, const std::string& what) {
  return port->send(to.self.id, {.kind = message_kind::call, .actor = "itchy", .method = "fight", .body = what});
}

transport_net::transport_net() : authority(must(internal::certificate_authority::make("test", valid_now()))) {}

internal::validity transport_net::valid_now() {
  const auto now = system_clock().wall();
  return {now - std::chrono::hours(1), now + std::chrono::hours(1)};
}

internal::tls_files transport_net::files(const std::string& id) { return files(id, id, valid_now(), authority); }

internal::tls_files transport_net::files(const std::string& name, const std::string& id, const internal::validity& when,
                                         const internal::certificate_authority& by) {
  const auto where = folder.path() / name;
  std::filesystem::create_directories(where);
  return must(by.issue_into(where.string(), id_of(id), when));
}

hello transport_net::introduce(const std::string& id, const std::string& flock) const {
  return {flock, id_of(id), incarnation::random(), "0.1.0", "", "test", ""};
}

internal::tls_transport_options transport_net::options(const std::string& id) {
  return {.listen = "127.0.0.1:0", .files = files(id)};
}

std::unique_ptr<test_node> transport_net::start(const std::string& id) { return start(id, options(id)); }

std::unique_ptr<test_node> transport_net::start(const std::string& id, internal::tls_transport_options o) {
  return std::make_unique<test_node>(introduce(id), std::move(o));
}

std::shared_ptr<const internal::tls_context> transport_net::context(const internal::tls_files& files) const {
  return must(internal::tls_context::load(files));
}

}  // namespace flock::testing

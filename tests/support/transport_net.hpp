#pragma once

#include "libflock/seams/transport.hpp"
#include "libflock/tls/certificates.hpp"
#include "libflock/tls/tls_transport.hpp"
#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace flock::testing {

node_id id_of(const std::string& text);
message hello_of(const hello& self);

/// Writes down what a transport reports, and waits for it.
class recorder : public transport::listener {
 public:
  struct loss {
    hello peer;
    error why;
  };
  struct failure {
    node_id id;
    dial_failure how;
    error why;
  };
  struct seen {
    std::vector<hello> connected;
    std::vector<loss> disconnected;
    std::vector<failure> failures;
    std::vector<message> messages;
    std::vector<std::string> log;
  };

  void connected(const hello& peer) override;
  void received(const hello& from, message m) override;
  void disconnected(const hello& peer, const error& why) override;
  void dial_failed(const node_id& id, dial_failure how, const error& why) override;
  void logged(const std::string& line);

  /// \returns whether it came true within ten seconds
  bool wait(const std::function<bool(const seen&)>& what) const;
  bool wait_connected(std::size_t times = 1) const;
  bool wait_disconnected(std::size_t times = 1) const;
  bool wait_messages(std::size_t count) const;
  bool wait_logged(const std::string& part) const;
  seen all() const;

  /// Called for each message, on the transport's thread.
  std::function<void(const hello&, const message&)> on_message;

 private:
  template <class F> void note(F f);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  seen seen_;  ///< guarded by mutex_
};

/// \returns whether an attempt fails like this within ten seconds, with this in its text
bool any_failure(const recorder& seen, dial_failure how, const std::string& part);

/// A transport and what it reports.
struct test_node {
  test_node(hello who, internal::tls_transport_options o);
  ~test_node() { port->stop(); }

  void dial(const test_node& other) { port->dial(other.self.id, other.address); }
  result<void> say(const test_node& to, const std::string& what);

  recorder seen;
  hello self;
  std::unique_ptr<transport> port;
  std::string address;
};

/// Nodes on loopback that trust one authority.
class transport_net {
 public:
  transport_net();

  /// A certificate of this authority, in a folder named after the node.
  internal::tls_files files(const std::string& id);
  internal::tls_files files(const std::string& folder, const std::string& id, const internal::validity& when,
                            const internal::certificate_authority& by);
  hello introduce(const std::string& id, const std::string& flock = "/flock/test") const;
  internal::tls_transport_options options(const std::string& id);
  std::unique_ptr<test_node> start(const std::string& id);
  std::unique_ptr<test_node> start(const std::string& id, internal::tls_transport_options o);

  /// A context of a raw peer.
  std::shared_ptr<const internal::tls_context> context(const internal::tls_files& files) const;

  static internal::validity valid_now();

  temporary_folder folder;
  internal::certificate_authority authority;
};

}  // namespace flock::testing

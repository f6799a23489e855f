#pragma once

#include <flock/error.hpp>
#include <flock/testing/local_cluster.hpp>

#include <memory>
#include <string>
#include <vector>

namespace flock::chaos {

/// The place of a cluster's ZooKeeper servers in its network.
inline constexpr auto zookeeper_place = "zookeeper";

/// A network of its own for a cluster, in which ways can be cut: each node in a Linux network namespace, all of them
/// joined by a bridge in another one, where ZooKeeper is and where this thread stays while the object lives. What is
/// sent on a cut way vanishes without a word, as on a network that is partitioned; the ways back are other ways.
///
/// Takes CAP_SYS_ADMIN and CAP_NET_ADMIN, iproute2 and util-linux. Nothing of it outlives its processes, however this
/// one ends: neither the namespaces nor the devices have names outside of them. For one thread.
class private_network {
 public:
  /// Errors: refused (this process may not have one, or a program is missing; the text says what failed)
  static result<std::unique_ptr<private_network>> make(const std::vector<std::string>& nodes);
  ~private_network();
  private_network(const private_network&) = delete;
  private_network& operator=(const private_network&) = delete;

  /// Puts a cluster that is started by this thread into it, with TLS, without which flockd listens on loopback only.
  void take_in(testing::local_cluster::options& o) const;

  /// \param from, to  a node or zookeeper_place. Errors: io
  result<void> cut(const std::string& from, const std::string& to);
  result<void> mend(const std::string& from, const std::string& to);

 private:
  struct place;

  private_network() = default;
  result<void> enter();
  result<void> build(const std::vector<std::string>& nodes);
  result<void> add(const std::string& node);
  result<void> point(const std::string& from, const std::string& to, const std::string& hardware_address);
  const place& at(const std::string& name) const;

  int outside_ = -1;  // the namespace where this thread was
  std::vector<std::unique_ptr<place>> places_;
};

}  // namespace flock::chaos

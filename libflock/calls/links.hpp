#pragma once

#include "libflock/calls/call_table.hpp"
#include "libflock/membership/directory.hpp"
#include "libflock/membership/membership.hpp"
#include "libflock/seams/message.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/values/invariant.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// Which nodes this one is connected with, and what waits until it is: learns addresses from the directory, dials on
/// demand, and sends calls as soon as there is a way. Lives in one mailbox.
///
/// Holds, at the end of each call: this node itself is neither wanted nor connected; whoever is connected is known by
/// its own id, and nothing waits for it.
class links {
 public:
  links(node_id self, transport& network, const directory& nodes, membership& registry, call_table& calls);

  /// Wants a connection with a node: dials it as soon as its address is known.
  void want(const node_id& id);

  /// Sends a call of the table once the node is connected. \param m  its id is the call's
  void send_when_connected(const node_id& to, message m);

  // What happened. All that waits for a node with no way to it is given up.
  void connected(const hello& peer);
  void disconnected(const node_id& id);
  void dial_failed(const node_id& id, const error& why);
  /// The directory may know another address of it now.
  void address_changed(const node_id& id);
  /// The registry says that there is no such node.
  void unknown(const node_id& id);
  /// It left or died: not dialled any more until it is wanted again.
  void ended(const node_id& id);

  const std::map<node_id, hello>& peers() const { return peers_; }
  const hello* peer(const node_id& id) const;

  broken check() const;

 private:
  struct link {
    std::string dialled;           // the address that the transport was told; empty while it is unknown
    std::vector<message> waiting;  // calls to send once connected; bounded by the deadlines of the calls
  };

  void dial(const node_id& id, link& to);
  broken check(const node_id& id) const;

  node_id self_;
  transport& network_;
  const directory& nodes_;
  membership& registry_;
  call_table& calls_;
  std::map<node_id, link> wanted_;
  std::map<node_id, hello> peers_;
};

}  // namespace flock

#pragma once

#include "libflock/seams/runtime.hpp"
#include "libflock/seams/transport.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace flock::testing {

/// A network within one process: the transports of many nodes, in the turns of a runtime and on the clock of a test. It
/// keeps the promises of transport.hpp, unless it is told to disturb; the same seed disturbs in the same way.
///
/// For one thread. It may go before its transports, which then reach nobody.
class memory_network {
 public:
  explicit memory_network(runtime& threads, const clock& time, std::uint64_t seed = 1, transport_limits limits = {});
  ~memory_network();

  /// A transport for a node that says this of itself. It listens on self.address, by default "<id>:22222", which is
  /// free again when the node before it was stopped or killed.
  std::unique_ptr<transport> attach(hello self);

  struct disturbance {
    milliseconds delay_least{0};  ///< of each message and attempt to connect
    milliseconds delay_most{0};
    double lost = 0;      ///< the share of parcels and acknowledgements that vanish although the connection stands
    double repeated = 0;  ///< and of those that come twice: no transport does either, and the courier survives both
  };
  void disturb(disturbance d);

  /// What goes from one node to the other is held. Their connection ends if that lasts for three heartbeats.
  void cut(const node_id& from, const node_id& to);
  void cut_both(const node_id& a, const node_id& b);
  /// Ends all cuts between two nodes, or everywhere.
  void heal(const node_id& a, const node_id& b);
  void heal();
  /// The connection of two nodes ends; what was on the way is lost.
  void drop(const node_id& a, const node_id& b);
  /// The node's process is gone: nothing is called there any more. What it had sent is lost, or arrives all the same:
  /// a kernel may still send what a killed process left in its buffers.
  void kill(const node_id& id, bool last_words_arrive = false);

  bool are_connected(const node_id& a, const node_id& b) const;

 private:
  class endpoint;
  class wires;

  std::shared_ptr<wires> wires_;
};

}  // namespace flock::testing

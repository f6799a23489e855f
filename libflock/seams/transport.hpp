#pragma once

#include "libflock/seams/gate.hpp"
#include "libflock/seams/message.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace flock {

/// What a node says of itself when a connection opens, and the other end's identity once it has been proven.
///
/// Sent form: the body of the first message, a map with these members; unknown members are ignored.
struct hello {
  std::string flock;  ///< the registry path: two flocks never mix, even on one machine
  node_id id;         ///< must be the one in the certificate, where there is one
  incarnation life;
  std::string version;      ///< of the software, for people
  std::string address;      ///< "host:port" where this node listens
  std::string environment;  ///< what the default policy compares
  std::string journal;      ///< the id of its storage: another one means that it lost its disk

  value to_body() const;
  /// Errors: protocol (a member is missing or of the wrong kind)
  static result<hello> from_body(const value& body);
};

/// Bounds of a transport. The defaults are the ones that docs/failure_model.md promises.
struct transport_limits {
  std::size_t frame = 1 << 20;       ///< bytes; a larger frame ends its connection before it is read
  std::size_t queue = 16 << 20;      ///< bytes waiting for one slow peer; more is refused
  std::size_t unauthenticated = 64;  ///< connections that have not said hello; the oldest goes when one more comes
  std::size_t connections = 4096;    ///< accepted ones, in all
  milliseconds handshake{2000};      ///< connect, TLS and hello, each way
  milliseconds heartbeat{1000};      ///< sent this often when nothing else is; three missed end the connection
  milliseconds backoff_first{50};    ///< before the second attempt to connect; doubles with jitter
  milliseconds backoff_last{5000};
};

/// Why an attempt to connect failed.
enum class dial_failure : std::uint8_t {
  nobody_listens = 1,  ///< its machine refused the connection: the process is not there
  no_answer,           ///< no route, no such host, too slow, or closed before it said who it is
  rejected,            ///< its certificate, name or flock is wrong, or it found ours to be
};

/// Messages between nodes: the seam to the network. Connections are made on demand, and at most one is used for each
/// pair of nodes; when both dial at once, the smaller id chooses which one stays.
///
/// A message that send() took arrives at most once, in order, or its connection ends: the transport says so with
/// disconnected(), and never sends it again by itself.
class transport {
 public:
  /// What the transport reports. Called one at a time, on the thread that reads; must not block.
  class listener {
   public:
    virtual ~listener() = default;

    /// A peer is connected and proven to be who it says.
    virtual void connected(const hello& peer) = 0;
    /// A message from a connected peer.
    virtual void received(const hello& from, message m) = 0;
    /// The connection to it ended; each connected() is followed by exactly one of these.
    /// Codes: shutting_down (it said goodbye), down (closed or silent), protocol, io
    virtual void disconnected(const hello& peer, const error& why) = 0;
    /// One attempt to reach a dialled node failed; another follows after the backoff, until hang_up().
    /// Codes: unreachable (nobody_listens, no_answer), refused (rejected)
    virtual void dial_failed(const node_id& id, dial_failure how, const error& why) = 0;
  };

  virtual ~transport() = default;

  /// Starts to accept and to dial. Where hello's address is empty, the bound one takes its place.
  /// \returns the bound "host:port"; empty if it listens nowhere
  /// Errors: io (the address cannot be bound), bad_argument (certificates)
  virtual result<std::string> start(listener& to) = 0;

  /// Wants a connection to this node: connects, and connects again whenever it is lost, until hang_up(). Dialling a
  /// node that is dialled already changes its address and ends a backoff.
  virtual void dial(const node_id& id, const std::string& address) = 0;
  /// Does not dial it any more. A connection that stands is left to stand: the other node may want it.
  virtual void hang_up(const node_id& id) = 0;

  /// From any thread. Never blocks: the messages wait in a bounded queue, and leave together.
  /// Errors: unreachable (not connected), refused (its queue is full, or a message is over the limit); none was sent
  virtual result<void> send_all(const node_id& to, std::span<const message> all) = 0;
  result<void> send(const node_id& to, const message& m) { return send_all(to, {&m, 1}); }

  /// Returns when the gate is open. A transport may let the waiting thread read the answer that it waits for. Not to be
  /// called by the listener, nor in a turn.
  virtual void await(gate& g) { g.wait(); }

  /// Bytes that wait to be sent to this node.
  virtual std::size_t queued(const node_id& to) const = 0;

  /// What this node says of itself from the next connection on.
  virtual void introduce(const hello& self) = 0;

  /// Reads the certificates again; the ones in use stay when the new ones are bad.
  /// Errors: io, bad_argument
  virtual result<void> reload() = 0;

  /// Says goodbye to everybody, closes, and returns when the thread has ended. The listener is told of each
  /// connection's end and is not called afterwards. Not to be called by the listener; a second call does nothing.
  virtual void stop() = 0;
};

}  // namespace flock

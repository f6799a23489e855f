#pragma once

#include "libflock/seams/transport.hpp"
#include "libflock/tls/connection.hpp"
#include "libflock/tls/dial_pauses.hpp"
#include "libflock/tls/dial_turns.hpp"
#include "libflock/tls/name_lookup.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flock::internal {

/// The nodes that this one wants to be connected with: looks up their addresses, begins attempts to connect, a few at a
/// time, and tries again after a pause, until they are reached or not wanted any more. One that was reached stays
/// wanted, and is dialled again when its connection is lost.
///
/// What comes of an attempt, and whether its connection is used, is its host's business. All of it happens on the
/// thread that leads at the io_context.
class dialler {
 public:
  class host {
   public:
    virtual bool is_connected(const node_id& id) const = 0;
    /// A connection that is about to be dialled to reach it. Its end is told by attempt_ended().
    virtual std::shared_ptr<connection> make_attempt(const node_id& id) = 0;
    virtual void dial_failed(const node_id& id, dial_failure how, const error& why) = 0;
    /// One line for people, said once for each new reason.
    virtual void rejected(const std::string& text) = 0;

   protected:
    ~host() = default;
  };

  /// \param seed  of the pauses
  dialler(boost::asio::io_context& io, const transport_limits& limits, std::uint64_t seed, host& of);

  /// Tries to reach it, at once; another address takes the place of the one before.
  void want(const node_id& id, const std::string& address);
  /// Does not dial it any more. Nothing is reported.
  void forget(const node_id& id);

  /// A connection with this node is used from here on, whoever has begun it.
  void reached(const node_id& id, const connection& by);
  void attempt_ended(const connection& attempt, const error& why);
  /// The connection that was used is gone, and no other took its place.
  void lost(const node_id& id, const connection& used, const error& why);

  /// Wants nobody any more. \returns the attempts that are under way; they are the host's to end
  std::vector<std::shared_ptr<connection>> stop();

 private:
  struct target {
    std::string address;
    dial_pauses pauses;
    boost::asio::steady_timer timer;  ///< until the next attempt, or for looking up its address
    std::uint64_t tries = 0;          ///< tells an answer that comes too late from the one that is awaited
    bool looking_up = false;
    std::shared_ptr<connection> attempt;
    std::string rejected;  ///< why, as last said
  };

  void abandon(const node_id& id, target& t);
  void attempt(const node_id& id);
  void found(const node_id& id, const result<endpoints>& where);
  void failed(const node_id& id, dial_failure how, const std::string& why);
  void redial(const node_id& id, milliseconds pause);

  void end_turn(const node_id& id);
  void schedule_turns();
  void begin_next();

  boost::asio::io_context& io_;
  const transport_limits limits_;
  const std::uint64_t seed_;
  host& host_;
  name_lookup lookup_;
  std::map<node_id, target> targets_;
  dial_turns turns_;
  boost::asio::steady_timer next_turn_;
  bool stopped_ = false;
};

}  // namespace flock::internal

#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace flock {

/// What a message between two nodes is. Sent form: one byte; new kinds go to the end.
enum class message_kind : std::uint8_t {
  hello = 1,    ///< first on a connection, both ways; body: hello in transport.hpp
  heartbeat,    ///< I am here; answered by nothing, as the other side sends its own
  goodbye,      ///< I am closing; body: {"why"}
  call,         ///< actor, method, body = list of arguments; within = how long an answer is worth something
  reply,        ///< id of the call; body = its result
  failure,      ///< id of the call; body = {"code","what"}
  parcels,      ///< numbered parcels of one channel; body: batch in parcel.hpp
  acknowledge,  ///< parcels of one channel that are safe here; body: acknowledgement in parcel.hpp
};

/// The id of a call whose answer nobody waits for: none is sent.
inline constexpr std::uint64_t nobody_waits = 0;

inline constexpr message_kind last_message_kind = message_kind::acknowledge;

/// The envelope of everything that nodes say to each other.
///
/// Sent form: version (one byte, 1), kind (one byte), id (varint), within in ms (varint), actor and method (varint
/// length, bytes), body (value's binary form). Whatever follows the body was added by a newer version and is ignored.
struct message {
  message_kind kind = message_kind::heartbeat;
  std::uint64_t id = 0;    ///< joins a reply to its call; chosen by the caller, unique on the connection
  milliseconds within{0};  ///< time left, at most 10 years; no point in time, as two machines' clocks do not agree
  std::string actor;
  std::string method;
  value body;
  /// The body in its binary form, instead of `body`: if its sender has it so, and of received parcels, which are many
  /// and are read without a value in between.
  std::string packed{};

  friend bool operator==(const message&, const message&) = default;
};

inline constexpr std::uint8_t message_version = 1;

void encode(const message& m, std::string& out);
std::string encode(const message& m);
/// Errors: protocol (cut short, a version or kind that is not known here, a name too long, or a bad body)
result<message> decode_message(std::string_view bytes);

/// A failure as a body, {"code": its name, "what"}, and back. A code that is not known here, or a body that is none,
/// becomes maybe_done: it may mean anything.
value to_body(const error& e);
error error_from_body(const value& body);

}  // namespace flock

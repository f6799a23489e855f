#pragma once

#include "libflock/words/notification.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flock {

/// What a channel carries: a notification one way, receipts the other.
using parcel = std::variant<notification, receipt>;

/// Sent and stored form: a map with one member, "notification" or "receipt".
/// The largest that is taken. What honest nodes send is smaller: 512 KiB, and an error's text.
inline constexpr std::size_t max_parcel_size = 640 * 1024;

value to_value(const parcel& p);
/// Errors: bad_argument
result<parcel> parcel_from_value(const value& v);

/// Some parcels of one channel, in order. A channel goes from a sender's storage to a receiver; its numbers grow, and
/// may skip: a number that was once sent is never given to another parcel, also when the sender crashed before it was
/// durable. So a batch says which number must have been taken before it, and each item follows the one before.
struct batch {
  struct item {
    std::uint64_t number = 0;
    parcel content;
    friend bool operator==(const item&, const item&) = default;
  };

  std::string channel;      ///< id of the sender's storage
  incarnation to;           ///< the life of the receiver that it is meant for: what it says is not true of others
  std::uint64_t after = 0;  ///< the parcel that must have been taken before the first item; 0 for none
  std::uint64_t again = 0;  ///< items up to this number may have been sent to an earlier life of the receiver
  std::vector<item> items;

  /// Body of message_kind::parcels: {"channel","to","after","again","items":[[number, parcel]...]}.
  value to_body() const;
  /// What encode(to_body()) makes, and from_body(decode(packed)) reads, without the value.
  std::string packed() const;
  static result<batch> read(std::string_view packed);
  /// Errors: protocol (a member is missing or of the wrong kind; numbers that do not grow)
  static result<batch> from_body(const value& body);

  friend bool operator==(const batch&, const batch&) = default;
};

/// All parcels of a channel up to a number are safe at the receiver.
struct acknowledgement {
  std::string channel;
  std::uint64_t upto = 0;

  /// Body of message_kind::acknowledge: {"channel","upto"}.
  value to_body() const;
  /// Errors: protocol
  static result<acknowledgement> from_body(const value& body);

  friend bool operator==(const acknowledgement&, const acknowledgement&) = default;
};

}  // namespace flock

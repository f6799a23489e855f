#pragma once

#include <flock/error.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace flock {

/// The name of a node: unique in its flock, and the Chef node name where Chef runs.
///
/// 1 to 255 bytes of letters, digits and "._:-", as Chef allows them. It therefore fits a certificate's subject
/// alternative name, a path of the registry and a file name without any escape; "." and ".." are none, for that reason.
class node_id {
 public:
  static constexpr std::size_t max_size = 255;

  /// Errors: bad_argument
  static result<node_id> parse(std::string_view text);

  const std::string& str() const { return text_; }

  friend auto operator<=>(const node_id&, const node_id&) = default;
  friend bool operator==(const node_id&, const node_id&) = default;
  friend bool operator==(const node_id& id, std::string_view text) { return id.text_ == text; }

 private:
  explicit node_id(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// The name of an actor on its node: 1 to 4096 bytes of UTF-8 without control characters. Slashes and brackets are
/// allowed, as resources are actors: "file[/etc/hosts]".
class actor_name {
 public:
  static constexpr std::size_t max_size = 4096;

  /// Errors: bad_argument
  static result<actor_name> parse(std::string_view text);

  const std::string& str() const { return text_; }

  friend auto operator<=>(const actor_name&, const actor_name&) = default;
  friend bool operator==(const actor_name&, const actor_name&) = default;
  friend bool operator==(const actor_name& name, std::string_view text) { return name.text_ == text; }

 private:
  explicit actor_name(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// Where an actor is: "bender1/itchy", or just "itchy" for whoever publishes it.
///
/// The text is split at its first slash if a node id stands before it: "file[/etc/hosts]" is an actor on any node.
struct address {
  std::optional<node_id> node;
  actor_name actor;

  /// Errors: bad_argument
  static result<address> parse(std::string_view text);
  std::string str() const;

  friend auto operator<=>(const address&, const address&) = default;
};

/// The name of a resource, as in Chef: "type[name]". The type is [a-z][a-z0-9_]*, the name whatever stands between the
/// first bracket and the last character, further brackets included: "execute[a[0]]".
struct resource_name {
  std::string type;
  std::string name;

  /// Errors: bad_argument
  static result<resource_name> parse(std::string_view text);
  std::string str() const { return type + "[" + name + "]"; }
  actor_name actor() const;

  friend auto operator<=>(const resource_name&, const resource_name&) = default;
};

/// A random 128-bit number, new at each start of a node. A node's id and its incarnation name one life of it.
/// Text form: 32 lower-case hexadecimal digits.
struct incarnation {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// From the system's source of randomness.
  static incarnation random();
  /// Errors: bad_argument
  static result<incarnation> parse(std::string_view text);
  std::string str() const;

  friend auto operator<=>(const incarnation&, const incarnation&) = default;
};

/// Every byte but letters, digits and "._-~" as %XX: safe as one element of a registry path, a URL or a file name.
std::string percent_encode(std::string_view text);
/// Errors: bad_argument (a broken escape)
result<std::string> percent_decode(std::string_view text);

/// Well-formed UTF-8 without control characters (tabs included).
bool is_printable_utf8(std::string_view text);

std::ostream& operator<<(std::ostream& out, const node_id& id);
std::ostream& operator<<(std::ostream& out, const actor_name& name);
std::ostream& operator<<(std::ostream& out, const address& where);
std::ostream& operator<<(std::ostream& out, const resource_name& name);
std::ostream& operator<<(std::ostream& out, const incarnation& life);

}  // namespace flock

template <> struct std::hash<flock::node_id> {
  std::size_t operator()(const flock::node_id& id) const noexcept { return std::hash<std::string>()(id.str()); }
};
template <> struct std::hash<flock::actor_name> {
  std::size_t operator()(const flock::actor_name& n) const noexcept { return std::hash<std::string>()(n.str()); }
};

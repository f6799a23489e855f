#include "libflock/seams/message.hpp"

#include "libflock/values/packed_reader.hpp"
#include "libflock/values/wire.hpp"
#include <flock/name.hpp>

#include <algorithm>

namespace flock {

namespace {

using internal::put_bytes;
using internal::put_varint;
using internal::take_bytes;
using internal::take_varint;

// More would overflow the sum of it and a time of now.
constexpr milliseconds longest_within = std::chrono::days(3650);

error broken(std::string what) { return {error_code::protocol, "message: " + std::move(what)}; }

}  // namespace

void encode(const message& m, std::string& out) {
  out += static_cast<char>(message_version);
  out += static_cast<char>(m.kind);
  put_varint(m.id, out);
  put_varint(static_cast<std::uint64_t>(std::clamp(m.within, milliseconds(0), longest_within).count()), out);
  put_bytes(m.actor, out);
  put_bytes(m.method, out);
  if (m.packed.empty())
    encode(m.body, out);
  else
    out += m.packed;
}

std::string encode(const message& m) {
  std::string out;
  encode(m, out);
  return out;
}

result<message> decode_message(std::string_view in) {
  if (in.size() < 2) return broken("cut short");
  auto version = static_cast<unsigned char>(in[0]);
  auto kind = static_cast<unsigned char>(in[1]);
  in.remove_prefix(2);
  if (version != message_version) return broken("version " + std::to_string(version) + " is not known here");
  if (kind < 1 || kind > static_cast<unsigned char>(last_message_kind)) {
    return broken("kind " + std::to_string(kind) + " is not known here");
  }
  auto id = take_varint(in);
  auto within = id ? take_varint(in) : std::nullopt;
  auto actor = within ? take_bytes(in) : std::nullopt;
  auto method = actor ? take_bytes(in) : std::nullopt;
  if (!method) return broken("cut short");
  if (*within > static_cast<std::uint64_t>(longest_within.count())) return broken("a time beyond 10 years");
  if (std::max(actor->size(), method->size()) > actor_name::max_size) return broken("a name beyond 4096 bytes");
  message m{static_cast<message_kind>(kind), *id, milliseconds(*within), std::string(*actor), std::string(*method), {}};
  if (m.kind == message_kind::parcels) {
    const auto packed = internal::take_value(in);
    if (!packed) return packed.error().within("message");
    m.packed = *packed;
  } else {
    auto body = decode(in);
    if (!body) return body.error().within("message");
    m.body = *std::move(body);
  }
  return m;
}

value to_body(const error& e) { return value::map{{"code", to_string(e.code)}, {"what", e.what}}; }

error error_from_body(const value& body) {
  const auto* code = body["code"].as_text();
  const auto* what = body["what"].as_text();
  std::string text = what ? *what : "a failure without a text";
  if (auto known = code ? error_code_from(*code) : std::nullopt) return {*known, std::move(text)};
  // A newer version's code may mean anything, also that it was done.
  return {error_code::maybe_done, (code ? *code : "a failure without a code") + ": " + text};
}

}  // namespace flock

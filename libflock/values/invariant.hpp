#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace flock {

/// What check() of a part says: nothing while its members hang together as its header states, else the first sentence
/// that is broken, with the values that break it, for a person on call. It walks through all there is, so production
/// never asks. The simulator does after each turn, unit tests at their end.
using broken = std::optional<std::string>;

namespace internal {

/// Puts a sentence together: of texts, numbers, and what has a str().
template <class... Parts> std::string sentence(const Parts&... parts) {
  std::string out;
  const auto append = [&out](const auto& part) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(part)>>)
      out += std::to_string(part);
    else if constexpr (requires { part.str(); })
      out += part.str();
    else
      out += part;
  };
  (append(parts), ...);
  return out;
}

/// Ends the process with the sentence, if there is one and no asks_itself lives in this thread.
void assert_whole(const broken& b);

/// Asserts at the end of a public call that it left the part whole. Builds without assertions do not look.
///
/// Its look is a short one, at what the call has touched or at what is told at once: a call among ten thousand
/// notifications costs no walk through them.
template <class Look> class [[maybe_unused]] whole_at_end {
 public:
  explicit whole_at_end(Look look) : look_(std::move(look)) {}
  whole_at_end(const whole_at_end&) = delete;
  whole_at_end& operator=(const whole_at_end&) = delete;
#ifndef NDEBUG
  ~whole_at_end() { assert_whole(look_()); }
#endif

 private:
  Look look_;
};

/// While it lives, the calls of this thread do not look: whoever holds it asks check() and tells what is broken in its
/// own way.
class asks_itself {
 public:
  asks_itself();
  ~asks_itself();
  asks_itself(const asks_itself&) = delete;
  asks_itself& operator=(const asks_itself&) = delete;
};

}  // namespace internal

}  // namespace flock

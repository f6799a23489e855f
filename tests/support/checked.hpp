#pragma once

#include "libflock/values/invariant.hpp"

#include <doctest/doctest.h>

namespace flock::testing {

/// A case fails if the part is not whole here.
template <class Part> void check_whole(const Part& part) {
  const broken why = part.check();
  CHECK_MESSAGE(!why, why.value_or("whole"));
}

/// A part that its case must leave whole. That each call does is asserted by the part itself, as far as one short look
/// tells.
template <class Part> struct checked : Part {
  using Part::Part;
  checked() = default;
  checked(checked&&) = default;
  checked& operator=(checked&&) = default;
  ~checked() { check_whole(*this); }
};

}  // namespace flock::testing

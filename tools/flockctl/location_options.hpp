#pragma once

#include "tools/flockctl/arguments.hpp"
#include "tools/flockctl/local_flockd.hpp"
#include <flock/error.hpp>
#include <flock/value.hpp>

namespace flock::ctl {

/// The options of a LOCATION, as parameters of a query; none if none is given.
/// Errors: bad_argument (--any with --all-of, or either without any other)
result<parameters> location_parameters(const arguments& words);

/// The same as members of an object. Errors: bad_argument, also if none is given
result<value::map> location_members(const arguments& words);

}  // namespace flock::ctl

#pragma once

// F_RDLCK stands where struct flock does.
#if defined(F_RDLCK) && !defined(FLOCK_POSIX_NAMES)
#error "struct flock of <fcntl.h> is in the way: put Flock's folder posix first, see docs/using_libflock.md"
#endif

/// Everything a program needs to publish actors and to call those of other nodes.

#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/config.hpp>
#include <flock/deferred.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/node.hpp>
#include <flock/ref.hpp>
#include <flock/stream.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

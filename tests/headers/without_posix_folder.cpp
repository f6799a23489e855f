// Compiled without Flock's folder posix; see docs/using_libflock.md.
// clang-format off
#include <fcntl.h>
#include <flock/flock.hpp>
// clang-format on

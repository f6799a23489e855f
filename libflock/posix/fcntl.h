// The system's <fcntl.h>, with its struct flock under the name posix_flock: C++ allows no namespace flock beside it.
// Found before the system's one by whatever links to flock::flock, so that it does not matter who includes it when.
#pragma GCC system_header
#ifdef __cplusplus
#define FLOCK_POSIX_NAMES
#pragma push_macro("flock")
#undef flock
#define flock posix_flock
#include_next <fcntl.h>
#pragma pop_macro("flock")
#else
#include_next <fcntl.h>
#endif

// The system's <sys/file.h>, with its function flock() under the name posix_flock(); see ../fcntl.h.
#pragma GCC system_header
#ifdef __cplusplus
extern "C" int posix_flock(int fd, int operation) noexcept __asm__("flock");
#pragma push_macro("flock")
#undef flock
#define flock posix_flock
#include_next <sys/file.h>
#pragma pop_macro("flock")
#else
#include_next <sys/file.h>
#endif

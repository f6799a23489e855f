#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLOCK_HAS_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FLOCK_HAS_ADDRESS_SANITIZER
#endif

namespace {

thread_local std::size_t asked_for = 0;

}  // namespace

#ifdef FLOCK_HAS_ADDRESS_SANITIZER

// It has a place for this, and takes it amiss if what libFuzzer has allocated is freed by another way.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));

namespace {

[[maybe_unused]] const int hooked = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t bytes) { asked_for += bytes; }, [](const volatile void*) {});

}  // namespace

#else

// The other forms come to these, but for those of types that are aligned more than usual.
void* operator new(std::size_t bytes) {
  asked_for += bytes;
  if (void* memory = std::malloc(std::max<std::size_t>(bytes, 1))) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif

namespace flock::fuzz {

std::string_view take_line(std::string_view& in) {
  const auto line = in.substr(0, in.find('\n'));
  in.remove_prefix(std::min(in.size(), line.size() + 1));
  return line;
}

void require(bool holds, std::string_view sentence) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
  std::abort();
}

allowance::allowance(std::size_t bytes) : until_(asked_for + bytes) {}

allowance::~allowance() {
  if (asked_for <= until_) return;
  require(false, "it costs no more than it may, but " + std::to_string(asked_for - until_) + " bytes more");
}

}  // namespace flock::fuzz

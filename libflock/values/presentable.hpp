#pragma once

#include <string>

namespace flock::internal {

/// For the text of an error that quotes what somebody else wrote, which may be megabytes of anything: one line, with
/// nothing that a terminal obeys, of 1,024 bytes at most. Control characters and bytes that are no UTF-8 become "\x0a";
/// of what is longer its beginning and its end are left, with "..." between.
std::string presentable(std::string text);

}  // namespace flock::internal

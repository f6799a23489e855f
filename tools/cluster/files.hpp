#pragma once

#include <flock/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace flock::testing {

/// All of a file; empty if it cannot be read.
std::string contents(const std::string& path);

/// Errors: io
result<void> write_file(const std::string& path, std::string_view text);

/// Errors: io
result<void> make_folder(const std::string& path);

/// An empty one, in the system's place for such. Errors: io
result<std::string> make_temporary_folder();

/// The last lines of a log, for people, without the end of the last; empty if there is none.
/// \param from  what was in it before, in bytes, is no part of it
std::string end_of_log(const std::string& path, std::int64_t from = 0);

}  // namespace flock::testing

#pragma once

#include <map>
#include <string>

namespace flock {

/// The versions of Flock and of the libraries behind its seams, by name: {"Flock": "0.1.0", "SQLite": ...}. Asked of
/// the libraries that run, where they tell; of their headers otherwise.
std::map<std::string, std::string> library_versions();

}  // namespace flock

#pragma once

#include "actors/resource/declaration.hpp"
#include <flock/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace flock {

/// The text of one resource file.
struct resource_file {
  std::string path;  ///< as errors name it
  std::string text;

  static constexpr std::size_t max_size = 16 << 20;
};

/// Reads declarations, in the order of the files and of the resources in each of them.
///
/// Errors: bad_argument; its text has a line for each thing that is wrong anywhere, "path:line: type[name]: member:
/// what", up to 100, and a last one that counts the others
result<std::vector<declaration>> parse_resources(const std::vector<resource_file>& files);

/// The same of all *.json in a folder, in the order of their names; hidden files are not looked at.
/// Errors: as of parse_resources, not_found (no such folder), io
result<std::vector<declaration>> read_resources(const std::string& folder);

}  // namespace flock

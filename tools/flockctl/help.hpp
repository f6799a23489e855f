#pragma once

#include "tools/flockctl/command.hpp"

#include <string>

namespace flock::ctl {

// What is told of commands, made from their table. No line is wider than 80 columns.

/// What `flockctl help` prints.
std::string help();
/// What `flockctl help COMMAND` prints.
std::string help(const command& of);
/// What `flockctl help node` prints, if commands begin with that word; empty if none does.
std::string help_of_word(std::string_view word);

/// The section COMMANDS of the manual page, in troff.
std::string manual_of_commands();

}  // namespace flock::ctl

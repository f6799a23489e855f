#pragma once

#include "tools/flockctl/command.hpp"
#include "tools/flockctl/local_flockd.hpp"
#include <flock/clock.hpp>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace flock::ctl {

// `flockctl complete -- WORDS`, which the shells call: what may stand in the place of the last of these words, a line
// each: the word, and behind a tab what it is. One line ":files" says that it is a file, which shells know better.

struct candidate {
  std::string text;
  std::string does;

  friend bool operator==(const candidate&, const candidate&) = default;
};

/// What can be said without asking anybody, and what a flockd is to be asked for.
struct completions {
  std::vector<candidate> known;
  std::optional<kind> ask;         ///< things of this kind
  std::string of;                  ///< of this one: the actor of a method, the resource of an action
  std::vector<std::string> nodes;  ///< --node, as given so far
  std::string prefix;              ///< what stands before the value in the same word: "--node="
  std::optional<std::string> socket;

  friend bool operator==(const completions&, const completions&) = default;
};

/// Pure. \param words  those behind "flockctl", the last of which is being written, and may be empty
completions complete(const std::vector<std::string>& words);

/// What this flockd knows of that; nothing if it does not answer within a second, or not as expected.
/// \param begun  the word that is being written, without its prefix
std::vector<candidate> ask(const local_flockd& flockd, const completions& what, const std::string& begun,
                           const clock& time);

/// All that begins as the last word does, as the shells read it.
void print(std::ostream& out, const std::vector<candidate>& all, const std::string& prefix, const std::string& begun);

}  // namespace flock::ctl

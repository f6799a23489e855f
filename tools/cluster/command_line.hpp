#pragma once

#include "libflock/core/command_words.hpp"

#include <boost/program_options.hpp>

#include <string>
#include <vector>

namespace flock::testing {

/// The words of a command line, understood. Options have no abbreviations: a later one must not change what a script
/// means. Throws boost::program_options::error
inline boost::program_options::variables_map understood(
    const std::vector<std::string>& words, const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional) {
  namespace po = boost::program_options;
  namespace style = po::command_line_style;
  if (const auto checked = internal::check_words(words); !checked) throw po::error(checked.error().what);
  po::variables_map given;
  po::store(po::command_line_parser(words)
                .options(options)
                .positional(positional)
                .style(style::default_style & ~style::allow_guessing)
                .run(),
            given);
  po::notify(given);
  return given;
}

}  // namespace flock::testing

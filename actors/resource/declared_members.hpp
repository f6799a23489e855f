#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// Reads the members of a JSON object one by one and keeps what is wrong with them, so that all of it can be told at
/// once.
class declared_members {
 public:
  /// \param members  a map, which must outlive this
  explicit declared_members(const value& members) : members_(members) {}

  /// Reads a member; one that is absent leaves `into` as it is.
  template <class T> void read(const std::string& name, T& into) { read(name, into, &from_value<T>); }

  /// The same with a form of its own. \param parse  from value to a result of what `into` takes
  template <class T, class Parse> void read(const std::string& name, T& into, Parse parse) {
    known_.insert(name);
    const value& given = members_[name];
    if (given.is_null()) return;
    auto read = parse(given);
    if (read)
      into = *std::move(read);
    else
      complain(name, read.error().what);
  }

  struct fault {
    std::string member;
    std::string what;
    friend bool operator==(const fault&, const fault&) = default;
  };
  void complain(std::string member, std::string what) { faults_.push_back({std::move(member), std::move(what)}); }

  /// Complains of members that nobody asked for, too.
  std::vector<fault> finish();

 private:
  const value& members_;
  std::set<std::string> known_;
  std::vector<fault> faults_;
};

/// A duration: "90s", or a number of seconds, as in Chef. Errors: bad_argument (not more than 0, too)
result<milliseconds> duration_from(const value& v);

/// The mode of a file: octal text, "0644" or "644", or its number, as in Chef: 420. Errors: bad_argument
result<unsigned> mode_from(const value& v);

/// One text, or a list of them. Errors: bad_argument
result<std::vector<std::string>> texts_from(const value& v);

/// A path that begins with a slash. Errors: bad_argument
result<std::string> absolute_path_from(const value& v);

}  // namespace flock

#pragma once

#include "tools/flockctl/table.hpp"
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace flock::ctl {

/// How a number is shown to people: 8388608 bytes are 8.0 MB, 7500 seconds are 2 h 5 min.
enum class unit : std::uint8_t { none, bytes, seconds };
std::string readable(const value& v, unit in);

/// A column of a table of JSON objects.
struct column {
  std::string_view title;
  std::string_view member;  ///< or the path of one: "memory.available"
  unit in = unit::none;
};

/// Where data and talk go, and in which form.
class console {
 public:
  struct form {
    bool json = false;           ///< JSON lines, not tables
    bool color = false;          ///< data goes to a terminal that may show colors
    bool progress = false;       ///< talk goes to a terminal
    std::size_t width = 0;       ///< of the terminal that data goes to; 0: none
    std::size_t talk_width = 0;  ///< of the one that talk goes to, in columns and lines; 0: none
    std::size_t talk_height = 0;
  };

  console(std::ostream& data, std::ostream& talk, form f) : data_(data), talk_(talk), form_(f) {}

  bool json() const { return form_.json; }

  /// One line for each object. \param none  what is said in the place of a table if there are none
  void rows(const value::list& objects, const std::vector<column>& columns, std::string_view none);
  /// One object: a line of JSON, or a line for each of its members, these ones first.
  void object(const value& o, const std::vector<std::string>& leading = {});
  /// One object: a line of JSON, or these details of it.
  void object(const value& o, const std::vector<detail>& details);
  /// A line of data, sent off at once.
  void line(std::string_view text);
  void say(std::string_view text);

  /// One line for each object, shown at once.
  class growing_rows {
   public:
    /// \param samples  objects as wide as those that will come
    growing_rows(console& c, std::vector<column> columns, const value::list& samples);
    void add(const value& object);

   private:
    console& console_;
    std::vector<column> columns_;
    growing_table table_;
    bool begun_ = false;
  };

  /// Shown while it exists, if talk goes to a terminal.
  class waiting {
   public:
    waiting(console& c, std::string_view what);
    ~waiting();
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;

   private:
    console& console_;
  };

  /// Some lines that change, each in its place, while it exists; if talk goes to a terminal. Whoever says or prints
  /// something else hides it first.
  class board {
   public:
    explicit board(console& c) : console_(c) {}
    ~board() { hide(); }
    board(const board&) = delete;
    board& operator=(const board&) = delete;

    /// As many as the terminal has room for, and how many there are beside them.
    void show(const std::vector<std::string>& lines);
    void hide();

   private:
    console& console_;
    std::size_t shown_ = 0;
  };

 private:
  std::ostream& data_;
  std::ostream& talk_;
  form form_;
};

/// The members of an object, line by line: {"kernel":{"release":"6.1"}} is kernel.release  6.1.
std::vector<detail> details_of(const value& o, const std::vector<std::string>& leading = {});

/// What a table shows of a value: texts as they are, elements of lists and members of objects in one line.
std::string cell(const value& v);

}  // namespace flock::ctl

#pragma once

#include "libflock/words/debts.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace flock::testing {

/// Debts in memory, with what was done to them in order: "owe 1 execute[toast]", "due 1", "intend 2 file[x]", "settle
/// 1".
struct noted_debts final : debts {
  number owe(const std::string&, const wanted_action& what, bool now) override {
    open.insert(++last);
    note((now ? "owe now " : "owe ") + std::to_string(last) + " " + what.resource.str());
    return last;
  }
  void due(number n, const std::string&, const wanted_action&) override { note("due " + std::to_string(n)); }
  void intend(const std::string&, const resource_name& what, const std::string&,
              std::function<void(number)> begin) override {
    open.insert(++last);
    note("intend " + std::to_string(last) + " " + what.str());
    begin(last);
  }
  void settle(number n) override {
    open.erase(n);
    note("settle " + std::to_string(n));
  }

  void note(std::string what) { happened.push_back(std::move(what)); }

  number last = 0;
  std::set<number> open;
  std::vector<std::string> happened;
};

}  // namespace flock::testing

#include "tests/chaos/history.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

namespace flock::chaos {

namespace {

using place = std::pair<std::string, std::string>;

/// Where in the files the lines of each notification are.
struct index {
  struct entry {
    place where;
    std::size_t first;
    std::size_t times = 0;
    bool elsewhere = false;  // also in a file of another resource
  };
  std::map<std::string, entry> by_id;

  explicit index(const history& h) {
    for (const auto& [where, lines] : h.written) {
      for (std::size_t i = 0; i < lines.size(); ++i) {
        auto& found = by_id.try_emplace(lines[i], entry{where, i}).first->second;
        ++found.times;
        found.elsewhere = found.elsewhere || found.where != where;
      }
    }
  }
  std::size_t times(const std::string& id) const {
    const auto found = by_id.find(id);
    return found == by_id.end() ? 0 : found->second.times;
  }
};

const told_end* told_by(const history& h, const std::string& node, const std::string& id) {
  const auto of = h.told.find(node);
  if (of == h.told.end()) return nullptr;
  const auto found = of->second.find(id);
  return found == of->second.end() ? nullptr : &found->second;
}

std::string describe(const accepted_notification& n) {
  return n.id + " to " + n.target + "/" + n.resource + " was accepted";
}

std::string describe(const told_end& end) {
  return std::string(to_string(end.state)) + (end.why.empty() ? "" : " (" + end.why + ")");
}

void check_accepted(const history& h, const index& lines, const excuses& e, std::vector<std::string>& wrong) {
  for (const auto& n : h.accepted) {
    const auto* end = told_by(h, n.sender, n.id);
    const auto found = lines.by_id.find(n.id);
    const bool done = found != lines.by_id.end();
    if (!end)
      wrong.push_back(describe(n) + " and its sender does not know it" + (done ? "; it was performed" : ""));
    else if (!is_terminal(end->state))
      wrong.push_back(describe(n) + " and stays " + describe(*end) + (done ? "; it was performed" : ""));
    else if (end->state == receipt_state::succeeded && !done)
      wrong.push_back(describe(n) + " and is said to have succeeded, but was not performed");
    else if (end->state != receipt_state::succeeded && !(end->state == receipt_state::unknown && e.unknown))
      wrong.push_back(describe(n) + " and ended as " + describe(*end) + (done ? "; it was performed" : ""));
    if (done && found->second.where != place(n.target, n.resource))
      wrong.push_back(describe(n) + " and was performed by " + found->second.where.second);
  }
}

/// What any node says that does not agree with the files, also of notifications that nobody was told are accepted.
void check_told(const history& h, const index& lines, std::vector<std::string>& wrong) {
  for (const auto& [node, ends] : h.told) {
    for (const auto& [id, end] : ends) {
      const bool says_not_done = end.state == receipt_state::failed || end.state == receipt_state::expired ||
                                 end.state == receipt_state::cancelled;
      if (says_not_done && lines.times(id) > 0)
        wrong.push_back(id + " was performed, and " + node + " says " + describe(end));
      if (end.state == receipt_state::succeeded && lines.times(id) == 0)
        wrong.push_back(id + " was not performed, and " + node + " says that it succeeded");
    }
  }
}

void check_lines(const history& h, const index& lines, const excuses& e, std::vector<std::string>& wrong) {
  std::set<std::string> accepted;
  for (const auto& n : h.accepted) accepted.insert(n.id);
  for (const auto& [id, entry] : lines.by_id) {
    const auto& node = entry.where.first;
    const auto* end = told_by(h, node, id);
    if (!end && (accepted.contains(id) || !e.forgotten))
      wrong.push_back(id + " was performed, and " + node + " does not know it");
    if (entry.elsewhere) wrong.push_back(id + " was performed by more than one resource");
    if (entry.times == 1) continue;
    const bool marked = std::any_of(h.told.begin(), h.told.end(), [&id = id](const auto& of) {
      const auto found = of.second.find(id);
      return found != of.second.end() && found->second.redelivered;
    });
    if (!marked)
      wrong.push_back(id + " was performed " + std::to_string(entry.times) + " times by " + node +
                      ", and is not marked redelivered" + (end ? "; it says " + describe(*end) : ""));
    else if (!e.repeated)
      wrong.push_back(id + " was performed " + std::to_string(entry.times) + " times, though nobody was killed");
  }
}

void check_order(const history& h, const index& lines, std::vector<std::string>& wrong) {
  struct last {
    std::string id;
    std::size_t at;
  };
  std::map<std::pair<std::string, place>, last> latest;  // by sender and resource
  for (const auto& n : h.accepted) {
    const auto found = lines.by_id.find(n.id);
    if (found == lines.by_id.end()) continue;
    const last now{n.id, found->second.first};
    const auto [before, is_first] = latest.try_emplace({n.sender, {n.target, n.resource}}, now);
    if (is_first) continue;
    if (now.at < before->second.at)
      wrong.push_back(describe(n) + " after " + before->second.id + ", and was performed before it");
    before->second = now;
  }
}

}  // namespace

result<told_end> told_end::from_value(const value& listed) {
  const auto* state = listed["state"].as_text();
  const auto read = state ? receipt_state_from(*state) : std::nullopt;
  const auto* redelivered = listed["redelivered"].as_bool();
  if (!read || !redelivered) return error{error_code::protocol, "no notification: " + to_json(listed)};
  const auto* why = listed["error"]["message"].as_text();
  return told_end{*read, *redelivered, why ? *why : ""};
}

std::vector<std::string> violations(const history& h, const excuses& e) {
  std::vector<std::string> wrong;
  const index lines(h);
  check_accepted(h, lines, e, wrong);
  check_told(h, lines, wrong);
  check_lines(h, lines, e, wrong);
  check_order(h, lines, wrong);
  return wrong;
}

}  // namespace flock::chaos

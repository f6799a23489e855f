#include "tools/flockctl/completion.hpp"

#include "tools/flockctl/table.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace flock::ctl {

namespace {

using namespace std::chrono_literals;

// Somebody waits with a finger on the tabulator.
constexpr milliseconds patience = 1s;

kind kind_of(const option& o) {
  if (o.name == "node") return kind::node;
  if (o.name == "role") return kind::role;
  if (o.name == "recipe") return kind::recipe;
  if (o.name == "environment") return kind::environment;
  if (o.name == "socket") return kind::file;
  return kind::text;
}

std::vector<candidate> choices_of(std::string_view value) {
  std::vector<candidate> all;
  while (value.find('|') != std::string_view::npos || (!all.empty() && !value.empty())) {
    const auto end = std::min(value.find('|'), value.size());
    all.push_back({std::string(value.substr(0, end)), {}});
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return all;
}

/// Words of commands at that place: `node` once, though there may be several commands that begin with it.
std::vector<candidate> command_words(const std::vector<std::string>& before) {
  std::vector<candidate> all;
  for (const auto& c : commands()) {
    const auto space = c.name.find(' ');
    const bool of_two = space != std::string_view::npos;
    const std::string first(c.name.substr(0, space));
    if (before.empty()) {
      const auto known = std::find_if(all.begin(), all.end(), [&](const candidate& k) { return k.text == first; });
      if (known == all.end()) all.push_back({first, std::string(c.does)});
    } else if (of_two && first == before[0]) {
      all.push_back({std::string(c.name.substr(space + 1)), std::string(c.does)});
    }
  }
  if (before.empty()) all.push_back({"help", "tells more of a command"});
  return all;
}

/// The words so far, taken apart as far as completion needs it.
struct line {
  std::vector<std::string> operands;  // the command's words among them
  std::set<std::string> given;        // options
  std::vector<std::string> nodes;
  std::optional<std::string> socket;
  const option* open = nullptr;  // the option that waits for its value

  void option_value(const option& o, const std::string& text) {
    if (o.name == "node") nodes.push_back(text);
    if (o.name == "socket") socket = text;
  }

  void take(const std::string& word) {
    if (open) return option_value(*std::exchange(open, nullptr), word);
    if (!word.starts_with("--")) return operands.push_back(word);
    const auto equals = word.find('=');
    const auto* o = find_option(std::string_view(word).substr(2, equals == std::string::npos ? equals : equals - 2));
    if (!o) return;
    given.insert(std::string(o->name));
    if (equals != std::string::npos)
      option_value(*o, word.substr(equals + 1));
    else if (!o->value.empty())
      open = o;
  }

  const command* of() const {
    for (const std::size_t words : {2, 1}) {
      if (operands.size() < words) continue;
      const auto* c = find_command(words == 2 ? operands[0] + " " + operands[1] : operands[0]);
      if (c) return c;
    }
    return nullptr;
  }
};

void complete_value(completions& out, const option& o) {
  out.known = choices_of(o.value);
  if (out.known.empty()) out.ask = kind_of(o);
}

std::vector<candidate> options_for(const line& so_far, const command* c) {
  std::vector<candidate> all;
  for (const auto& o : options()) {
    const bool fits =
        c ? c->takes(o.name)
          : o.name == "version" || std::count(common_options().begin(), common_options().end(), o.name) > 0;
    if (fits && (o.repeats || !so_far.given.contains(std::string(o.name))))
      all.push_back({"--" + std::string(o.name), std::string(o.does)});
  }
  return all;
}

std::size_t words_in(std::string_view name) { return name.find(' ') == std::string_view::npos ? 1 : 2; }

void complete_operand(completions& out, const line& so_far, const command& c) {
  if (c.operands.empty()) return;
  const auto first = words_in(c.name);
  const auto place = so_far.operands.size() - first;
  const bool repeats = c.operands.back().times >= count::at_least_one;
  if (place >= c.operands.size() && !repeats) return;
  out.ask = c.operands[std::min(place, c.operands.size() - 1)].is;
  if (place > 0) out.of = so_far.operands.back();
}

void complete_word(completions& out, const line& so_far) {
  const auto* c = so_far.of();
  if (c) return complete_operand(out, so_far, *c);
  const bool helps = !so_far.operands.empty() && so_far.operands[0] == "help";
  if (helps)
    out.known = command_words({so_far.operands.begin() + 1, so_far.operands.end()});
  else if (so_far.operands.size() < 2)
    out.known = command_words(so_far.operands);
}

// What a flockd says.

struct asking {
  const local_flockd& flockd;
  time_point until;

  value::list list(const std::vector<std::string>& path, std::string_view name, parameters query = {}) const {
    query.emplace_back("timeout", format_duration(patience));
    auto got = flockd.list(target(path, query), name, until);
    return got ? *std::move(got) : value::list();
  }
  value::list nodes() const { return list({"v1", "nodes"}, "nodes"); }
  value::list actors(const std::string& of) const {
    return list({"v1", "actors"}, "actors", of.empty() ? parameters() : parameters{{"node", of}});
  }
  value::list resources(const std::string& of) const {
    return list({"v1", "resources"}, "resources", of.empty() ? parameters() : parameters{{"node", of}});
  }
};

/// One for each of these objects.
std::vector<candidate> named(const value::list& objects, std::string_view member, std::string_view does = {}) {
  std::vector<candidate> all;
  for (const auto& o : objects)
    if (const auto* text = o[member].as_text())
      all.push_back({*text, does.empty() || !o[does].as_text() ? "" : *o[does].as_text()});
  return all;
}

/// Each text in these lists, or texts, once.
std::vector<candidate> mentioned(const value::list& objects, std::string_view member) {
  std::set<std::string> texts;
  for (const auto& o : objects) {
    if (const auto* text = o[member].as_text()) texts.insert(*text);
    if (const auto* list = o[member].as_list())
      for (const auto& one : *list)
        if (const auto* text = one.as_text()) texts.insert(*text);
  }
  std::vector<candidate> all;
  for (const auto& t : texts) all.push_back({t, {}});
  return all;
}

/// Of all nodes, or, when a slash has been written, of that node.
std::vector<candidate> actors_for(const asking& a, const std::string& begun) {
  const auto slash = begun.find('/');
  std::vector<candidate> all;
  if (slash == std::string::npos) {
    for (const auto& n : named(a.nodes(), "id", "state")) all.push_back({n.text + "/", n.does});
    return all;
  }
  const auto node = begun.substr(0, slash);
  for (const auto& actor : named(a.actors(node), "name", "type")) all.push_back({node + "/" + actor.text, actor.does});
  return all;
}

std::vector<candidate> methods_of(const asking& a, const std::string& address) {
  const auto slash = address.find('/');
  if (slash == std::string::npos) return {};
  for (const auto& actor : a.actors(address.substr(0, slash)))
    if (actor["name"] == value(address.substr(slash + 1)))
      if (const auto* methods = actor["methods"].as_list()) return named(*methods, "name", "doc");
  return {};
}

std::vector<candidate> resources_of(const asking& a, const std::vector<std::string>& nodes) {
  return named(a.resources(nodes.empty() ? "" : nodes.front()), "resource", "state");
}

std::vector<candidate> actions_of(const asking& a, const completions& what) {
  for (const auto& r : a.resources(what.nodes.empty() ? "" : what.nodes.front()))
    if (r["resource"] == value(what.of)) return mentioned({r}, "actions");
  return {};
}

std::vector<candidate> notifications(const asking& a, parameters query) {
  std::vector<candidate> all;
  for (const auto& n : a.list({"v1", "notifications"}, "notifications", std::move(query)))
    if (const auto* id = n["id"].as_text())
      all.push_back({*id, n["resource"].as_text() && n["state"].as_text()
                              ? *n["resource"].as_text() + " " + *n["state"].as_text()
                              : ""});
  return all;
}

std::vector<candidate> conditions(const asking& a, const std::string& begun) {
  std::vector<candidate> all;
  if (const auto equals = begun.find('='); equals != std::string::npos) {
    const auto what = begun.substr(0, equals);
    const auto slash = what.find('/');
    const auto states = slash == std::string::npos     ? "alive|suspect|dead|left"
                        : what.substr(slash) == "/run" ? "idle|active"
                                                       : "updated|up_to_date|skipped|failed|idle|running";
    for (const auto& s : choices_of(states)) all.push_back({what + "=" + s.text, {}});
    return all;
  }
  const auto slash = begun.find('/');
  if (slash == std::string::npos) {
    for (const auto& n : named(a.nodes(), "id", "state")) {
      all.push_back({n.text + "=", "the node"});
      all.push_back({n.text + "/", "its run, or a resource of it"});
    }
    return all;
  }
  const auto node = begun.substr(0, slash);
  all.push_back({node + "/run=", "its Chef run"});
  for (const auto& r : resources_of(a, {node})) all.push_back({node + "/" + r.text + "=", r.does});
  return all;
}

}  // namespace

completions complete(const std::vector<std::string>& words) {
  completions out;
  if (words.empty()) return out;
  line so_far;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) so_far.take(words[i]);
  const auto& begun = words.back();
  out.nodes = so_far.nodes;
  out.socket = so_far.socket;
  if (so_far.open) {
    complete_value(out, *so_far.open);
    // One that can stand alone need not have a value.
    if (!so_far.open->alone.empty() && begun.starts_with("-")) out.known = options_for(so_far, so_far.of());
    return out;
  }
  const auto equals = begun.find('=');
  if (begun.starts_with("--") && equals != std::string::npos) {
    out.prefix = begun.substr(0, equals + 1);
    if (const auto* o = find_option(std::string_view(begun).substr(2, equals - 2))) complete_value(out, *o);
  } else if (begun.starts_with("-")) {
    out.known = options_for(so_far, so_far.of());
  } else {
    complete_word(out, so_far);
  }
  return out;
}

std::vector<candidate> ask(const local_flockd& flockd, const completions& what, const std::string& begun,
                           const clock& time) {
  if (!what.ask) return {};
  const asking a{flockd, time.now() + patience};
  switch (*what.ask) {
    case kind::text:
    case kind::command:
      return {};
    case kind::file:
      return {{":files", {}}};
    case kind::node:
      return named(a.nodes(), "id", "state");
    case kind::actor:
      return actors_for(a, begun);
    case kind::method:
      return methods_of(a, what.of);
    case kind::resource:
      return resources_of(a, {});
    case kind::resource_there:
      return resources_of(a, what.nodes);
    case kind::action:
      return actions_of(a, what);
    case kind::role:
      return mentioned(a.nodes(), "roles");
    case kind::recipe:
      return mentioned(a.nodes(), "recipes");
    case kind::environment:
      return mentioned(a.nodes(), "environment");
    case kind::notification:
      return notifications(a, {});
    case kind::waiting_notification:
      return notifications(a, {{"state", "queued"}});
    case kind::condition:
      return conditions(a, begun);
  }
  return {};
}

void print(std::ostream& out, const std::vector<candidate>& all, const std::string& prefix, const std::string& begun) {
  for (const auto& c : all) {
    const auto whole = c.text == ":files" ? c.text : prefix + c.text;
    if (c.text != ":files" && !whole.starts_with(begun)) continue;
    out << harmless(whole);
    if (!c.does.empty()) out << '\t' << harmless(c.does);
    out << '\n';
  }
}

}  // namespace flock::ctl

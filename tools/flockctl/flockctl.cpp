#include "tools/flockctl/flockctl.hpp"

#include "tools/flockctl/command.hpp"
#include "tools/flockctl/completion.hpp"
#include "tools/flockctl/help.hpp"
#include <flock/version.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace flock::ctl {
namespace {

constexpr std::string_view default_socket = "/run/flock/flockd.sock";

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

bool is_word_of(const command& c, const std::string& word) { return c.name.substr(0, c.name.find(' ')) == word; }

error unknown_command(const std::vector<std::string>& operands) {
  const auto& first = operands.front();
  const auto whole = operands.size() > 1 ? first + " " + operands[1] : first;
  std::vector<std::string_view> names;
  std::string of_two_words;
  for (const auto& c : commands()) {
    names.push_back(c.name);
    if (is_word_of(c, first)) of_two_words.append(of_two_words.empty() ? "" : ", ").append(c.name);
  }
  if (!of_two_words.empty()) return wrong("no such command: " + whole + "; there is " + of_two_words);
  const auto meant = nearest(first, names);
  return wrong("no such command: " + first + (meant ? "; did you mean " + std::string(*meant) + "?" : ""));
}

// Takes the words of a command from the front of the operands.
result<const command*> take_command(std::vector<std::string>& operands) {
  for (std::size_t words : {2, 1}) {
    if (operands.size() < words) continue;
    const auto name = words == 2 ? operands[0] + " " + operands[1] : operands[0];
    for (const auto& c : commands()) {
      if (c.name != name) continue;
      operands.erase(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(words));
      return &c;
    }
  }
  return unknown_command(operands);
}

result<void> check(const command& c, const arguments& words) {
  for (const auto& [name, texts] : words.options)
    if (!c.takes(name)) return wrong("--" + name + " is no option of " + std::string(c.name));
  const auto usage = "; usage: flockctl " + c.usage();
  for (const auto& operand : words.operands)
    if (operand.empty()) return wrong(std::string(c.name) + " does not take \"\"" + usage);
  if (words.operands.size() < c.least()) return wrong(std::string(c.name) + " needs more" + usage);
  if (words.operands.size() > c.most() && words.doubt) return *words.doubt;
  if (words.operands.size() > c.most())
    return wrong(std::string(c.name) + " does not take " + words.operands[c.most()] + usage);
  return {};
}

result<std::optional<milliseconds>> read_timeout(const arguments& words) {
  const auto text = words.one("timeout");
  if (!text) return std::optional<milliseconds>();
  const auto timeout = parse_duration(*text);
  if (!timeout) return timeout.error().within("--timeout");
  return std::optional(*timeout);
}

std::string variable(const surroundings& around, const std::string& name) {
  const auto found = around.environment.find(name);
  return found == around.environment.end() ? std::string() : found->second;
}

std::string socket_path(const arguments& words, const surroundings& around) {
  if (const auto given = words.one("socket")) return *given;
  const auto path = variable(around, "FLOCK_SOCKET");
  return path.empty() ? std::string(default_socket) : path;
}

console::form output_form(const arguments& words, const surroundings& around) {
  return {.json = words.one("format").value_or(around.out_is_terminal ? "table" : "json") == "json",
          .color = around.out_is_terminal && variable(around, "NO_COLOR").empty(),
          .progress = around.err_is_terminal,
          .width = around.out_is_terminal ? around.width : 0,
          .talk_width = around.talk_width,
          .talk_height = around.talk_height};
}

result<exit_code> show_help(std::vector<std::string> operands, const surroundings& around) {
  if (operands.empty()) {
    around.out << help();
    return exit_code::ok;
  }
  if (const auto several = help_of_word(operands.front());
      operands.size() == 1 && !find_command(operands.front()) && !several.empty()) {
    around.out << several;
    return exit_code::ok;
  }
  const auto c = take_command(operands);
  if (!c) return c.error();
  around.out << help(**c);
  return exit_code::ok;
}

/// Whatever goes wrong, nothing is written into somebody's line.
exit_code show_completions(std::vector<std::string> words, const surroundings& around) {
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  const auto what = complete(words);
  const auto begun = words.empty() ? std::string() : words.back();
  arguments given;
  if (what.socket) given.options["socket"] = {*what.socket};
  auto all = what.known;
  if (what.ask) {
    const auto flockd = around.connect(socket_path(given, around));
    all = ask(flockd, what, begun.substr(what.prefix.size()), around.time);
  }
  print(around.out, all, what.prefix, begun);
  return exit_code::ok;
}

exit_code show_version(const surroundings& around) {
  around.out << "flockctl " << version() << '\n';
  return exit_code::ok;
}

result<exit_code> try_run(const std::vector<std::string>& line, const surroundings& around) {
  if (!line.empty() && line.front() == "complete") return show_completions({line.begin() + 1, line.end()}, around);
  if (line == std::vector<std::string>{"-V"} || line == std::vector<std::string>{"version"})
    return show_version(around);
  auto words = parse_arguments(line, options());
  if (!words) return words.error();
  if (words->has("version")) return show_version(around);
  auto& operands = words->operands;
  const bool asks_for_help = !operands.empty() && operands.front() == "help";
  if (asks_for_help) operands.erase(operands.begin());
  if (asks_for_help || words->has("help")) return show_help(operands, around);
  if (operands.empty()) return wrong("which command?");
  const auto c = take_command(operands);
  if (!c) return c.error();
  if (auto fits = check(**c, *words); !fits) return fits.error();
  const auto timeout = read_timeout(*words);
  if (!timeout) return timeout.error();
  console out(around.out, around.err, output_form(*words, around));
  const auto flockd = around.connect(socket_path(*words, around));
  return (*c)->run({*words, out, flockd, around.time, around.sleep, *timeout, variable(around, "FLOCK_RUN")});
}

}  // namespace

exit_code run(const std::vector<std::string>& words, const surroundings& around) {
  const auto ended = try_run(words, around);
  if (ended) return *ended;
  around.err << "flockctl: " << harmless(ended.error().what) << '\n';
  const auto code = exit_code_of(ended.error().code);
  if (code == exit_code::usage) around.err << "flockctl help tells more.\n";
  return code;
}

}  // namespace flock::ctl

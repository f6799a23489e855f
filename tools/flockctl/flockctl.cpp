#include "tools/flockctl/flockctl.hpp"

#include "tools/flockctl/command.hpp"
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
  for (const auto& [name, texts] : words.options) {
    const auto is_it = [&, given = std::string_view(name)](std::string_view known) { return known == given; };
    if (std::none_of(c.options.begin(), c.options.end(), is_it) &&
        std::none_of(common_options().begin(), common_options().end(), is_it))
      return wrong("--" + name + " is no option of " + std::string(c.name));
  }
  const auto usage =
      "; usage: flockctl " + std::string(c.name) + (c.operands.empty() ? "" : " ") + std::string(c.operands);
  for (const auto& operand : words.operands)
    if (operand.empty()) return wrong(std::string(c.name) + " does not take \"\"" + usage);
  if (words.operands.size() < c.least) return wrong(std::string(c.name) + " needs more" + usage);
  if (words.operands.size() > c.most && words.doubt) return *words.doubt;
  if (words.operands.size() > c.most)
    return wrong(std::string(c.name) + " does not take " + words.operands[c.most] + usage);
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
  const auto c = take_command(operands);
  if (!c) return c.error();
  around.out << help(**c);
  return exit_code::ok;
}

result<exit_code> try_run(const std::vector<std::string>& line, const surroundings& around) {
  auto words = parse_arguments(line, options());
  if (!words) return words.error();
  if (words->has("version")) {
    around.out << "flockctl " << version() << '\n';
    return exit_code::ok;
  }
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

// Names and what they are for, in two columns.
std::string listed(const std::vector<std::pair<std::string, std::string_view>>& lines) {
  std::size_t width = 0;
  for (const auto& [name, does] : lines) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, does] : lines)
    text.append("  ").append(name).append(width - name.size() + 2, ' ').append(does).append("\n");
  return text;
}

template <class Wanted> std::string listed_options(Wanted wanted) {
  std::vector<std::pair<std::string, std::string_view>> lines;
  for (const auto& o : options())
    if (wanted(o.name))
      lines.emplace_back("--" + std::string(o.name) + (o.value.empty() ? "" : " ") + std::string(o.value), o.does);
  return listed(lines);
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
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

std::string help() {
  std::vector<std::pair<std::string, std::string_view>> lines;
  for (const auto& c : commands())
    lines.emplace_back(std::string(c.name) + (c.operands.empty() ? "" : " ") + std::string(c.operands), c.does);
  const auto is_common = [](std::string_view name) { return name == "version" || contains(common_options(), name); };
  return "usage: flockctl [OPTION...] COMMAND [ARGUMENT...]\n\nTalks to the flockd of this machine.\n\n" +
         listed(lines) + "\n" + listed_options(is_common) +
         "\nLOCATION is --node ID, or any of --role R, --recipe R, --environment E and --query Q.\n"
         "\"flockctl help COMMAND\" tells more of one.\n\n"
         "Exit status: 0 all well, 1 some target failed, 2 usage, 3 timed out or outcome unknown, 4 no such target,\n"
         "5 denied, 6 daemon or registry not reachable, 7 lock not obtained.\n";
}

std::string help(const command& of) {
  std::string text = "usage: flockctl " + std::string(of.name);
  if (!of.options.empty()) text += " [OPTION...]";
  if (!of.operands.empty()) text.append(" ").append(of.operands);
  text.append("\n\nflockctl ").append(of.name).append(" ").append(of.does).append(".\n");
  if (!of.more.empty()) text.append(of.more).append("\n");
  if (!of.options.empty())
    text += "\n" + listed_options([&](std::string_view name) { return contains(of.options, name); });
  return text + "\n" + listed_options([](std::string_view name) { return contains(common_options(), name); });
}

}  // namespace flock::ctl

#include "libflock/core/command_words.hpp"
#include "libflock/values/presentable.hpp"
#include <flock/config.hpp>
#include <flock/log.hpp>

#include <boost/program_options.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <sstream>
#include <unistd.h>

extern char** environ;

namespace flock {

namespace po = boost::program_options;

namespace {

/// A value as it was given, and where: for the text of an error.
struct given {
  std::string text;
  std::string where;  // "/etc/flock/flockd.conf:12: heartbeat", "--heartbeat", "FLOCK_HEARTBEAT"
};
using given_options = std::map<std::string, std::vector<given>>;

/// Where each option that counts was given.
using origins = std::map<std::string, std::string, std::less<>>;

struct option {
  std::string name;
  std::string argument;  // shown in --help; empty for a switch
  std::string help;
  std::function<result<void>(config&, const std::string&)> set;
  bool repeats = false;
};

error bad(std::string what) { return {error_code::bad_argument, internal::presentable(std::move(what))}; }

auto text_into(std::string config::*member) {
  return [member](config& c, const std::string& text) -> result<void> {
    c.*member = text;
    return {};
  };
}

auto path_into(std::string config::*member) {
  return [member](config& c, const std::string& text) -> result<void> {
    if (text.empty()) return bad("is empty");
    c.*member = text;
    return {};
  };
}

auto duration_into(milliseconds config::*member, milliseconds least, milliseconds most) {
  return [=](config& c, const std::string& text) -> result<void> {
    auto d = parse_duration(text);
    if (!d) return d.error();
    if (*d < least || *d > most)
      return bad(text + " is not between " + format_duration(least) + " and " + format_duration(most));
    c.*member = *d;
    return {};
  };
}

result<void> check_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  unsigned port = 0;
  const auto* end = text.data() + text.size();
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size() ||
      std::from_chars(text.data() + colon + 1, end, port).ptr != end || !is_printable_utf8(text))
    return bad("'" + text + "' is not host:port");
  if (port > 65535) return bad("'" + text + "': a port is a number up to 65535");
  return {};
}

result<void> read_listen(config& c, const std::string& text) {
  if (auto checked = check_endpoint(text); !checked) return checked;
  c.listen = text;
  return {};
}

result<void> read_advertise(config& c, const std::string& text) {
  if (auto checked = check_endpoint(text); !checked) return checked;
  const auto colon = text.rfind(':');
  const auto host = text.substr(0, colon);
  const bool any_port = text.find_first_not_of('0', colon + 1) == std::string::npos;
  if (any_port || host == "0.0.0.0" || host == "[::]") return bad("'" + text + "' is no address to connect to");
  c.advertise = text;
  return {};
}

auto word_into(std::vector<std::string> node_attributes::*member) {
  return [member](config& c, const std::string& text) -> result<void> {
    if (text.empty()) return bad("is empty");
    (c.about.*member).push_back(text);
    return {};
  };
}

auto switch_into(bool config::*member) {
  return [member](config& c, const std::string& text) -> result<void> {
    if (text != "true" && text != "false") return bad("'" + text + "' is neither true nor false");
    c.*member = text == "true";
    return {};
  };
}

result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (in) in.peek();  // a folder can be opened; reading it is what fails
  if (in.fail()) return error{error_code::io, "cannot read " + path + ": " + std::string(std::strerror(errno))};
  std::ostringstream out;
  if (!in.eof()) out << in.rdbuf();
  return out.str();
}

result<void> read_attributes(config& c, const std::string& path) {
  auto text = read_file(path);
  if (!text) return text.error();
  auto document = from_json(*text);
  if (!document) return document.error().within(path);
  if (!document->as_map()) return bad(path + ": expected an object");
  c.about.attributes = *std::move(document);
  return {};
}

result<void> read_auth(config& c, const std::string& text) {
  auto auth = text;
  if (text.starts_with('@')) {
    auto contents = read_file(text.substr(1));
    if (!contents) return contents.error();
    auth = *contents;
    while (!auth.empty() && (auth.back() == '\n' || auth.back() == '\r')) auth.pop_back();
  }
  // The text of an error must not hold the password.
  if (!auth.starts_with("digest:") || std::count(auth.begin(), auth.end(), ':') < 2)
    return bad("is not of the form digest:user:password");
  c.registry_auth = auth;
  return {};
}

const std::vector<option>& options() {
  using namespace std::chrono_literals;
  static const std::vector<option> all{
      {"id", "NAME", "name of this node, unique in its flock (default: the host name)",
       [](config& c, const std::string& text) -> result<void> {
         auto id = node_id::parse(text);
         if (!id) return id.error();
         c.id = *id;
         return {};
       }},
      {"registry", "URL", "zk://host:port[,host:port]/path, or memory: for this process alone (default)",
       [](config& c, const std::string& text) -> result<void> {
         auto url = registry_url::parse(text);
         if (!url) return url.error();
         c.registry = *url;
         return {};
       }},
      {"zookeeper", "HOST:PORT", "short for registry zk://HOST:PORT/flock",
       [](config& c, const std::string& text) -> result<void> {
         auto url = registry_url::parse("zk://" + text + "/flock");
         if (!url) return url.error();
         c.registry = *url;
         return {};
       }},
      {"registry-auth", "AUTH", "digest:user:password, or @FILE that holds it", read_auth},
      {"listen", "HOST:PORT", "where other nodes connect; port 0 picks one (default: 127.0.0.1:22222)", read_listen},
      {"advertise", "HOST:PORT", "the address that others are told (default: where it listens)", read_advertise},
      {"socket", "PATH", "the control socket (default: /run/flock/flockd.sock)", path_into(&config::socket)},
      {"state-dir", "DIR",
       "keeps what must survive a restart (flockd's default: /var/lib/flock; others': nothing is kept)",
       path_into(&config::state_dir)},
      {"resources", "DIR", "resource files (default: /etc/flock/resources.d)", path_into(&config::resources)},
      {"policy", "FILE", "who may ask for what (default: nodes of the same environment)", text_into(&config::policy)},
      {"environment", "NAME", "environment of this node",
       [](config& c, const std::string& text) -> result<void> {
         c.about.environment = text;
         return {};
       }},
      {"role", "NAME", "a role of this node; may repeat", word_into(&node_attributes::roles), true},
      {"recipe", "NAME", "a recipe of this node; may repeat", word_into(&node_attributes::recipes), true},
      {"tag", "NAME", "a tag of this node; may repeat", word_into(&node_attributes::tags), true},
      {"attributes", "FILE", "attributes of this node, a JSON object", read_attributes},
      {"tls-ca", "FILE", "certificates of who signs for nodes, PEM", text_into(&config::tls_ca)},
      {"tls-cert", "FILE", "certificate of this node, PEM; its subject alternative name is the id",
       text_into(&config::tls_cert)},
      {"tls-key", "FILE", "private key of this node, PEM", text_into(&config::tls_key)},
      {"insecure", "", "without certificates, listen all the same: anybody who connects is believed",
       switch_into(&config::insecure)},
      {"session-timeout", "TIME", "how long the registry waits for this node (default: 10s)",
       duration_into(&config::session_timeout, 400ms, 10min)},
      {"heartbeat", "TIME", "between two signs of life (default: 1s)", duration_into(&config::heartbeat, 10ms, 1min)},
      {"call-timeout", "TIME", "for calls without a time of their own (default: 5s)",
       duration_into(&config::call_timeout, 1ms, 1h)},
      {"notification-ttl", "TIME", "how long a notification waits for its node (default: 24h)",
       duration_into(&config::notification_ttl, 1s, 24h * 365)},
      {"chef-command", "COMMAND", "starts a Chef run", text_into(&config::chef_command)},
      {"chef-lock", "PATH", "Chef's own lock file", text_into(&config::chef_lock)},
      {"log-level", "LEVEL", "debug, info, warning or error (default: info)",
       [](config& c, const std::string& text) -> result<void> {
         if (!log_level_from(text)) return bad("'" + text + "' is none of debug, info, warning, error");
         c.log_level = text;
         return {};
       }},
      {"check-config", "", "read everything, say what is wrong, start nothing", switch_into(&config::check_config)},
  };
  return all;
}

const option* find_option(std::string_view name) {
  for (const auto& o : options())
    if (o.name == name) return &o;
  return nullptr;
}

po::options_description described() {
  po::options_description out("Options", 100, 60);
  for (const auto& o : options()) {
    if (o.argument.empty()) {
      out.add_options()(o.name.c_str(),
                        po::value<std::vector<std::string>>()->implicit_value({"true"}, "")->zero_tokens(),
                        o.help.c_str());
    } else {
      out.add_options()(o.name.c_str(), po::value<std::vector<std::string>>()->value_name(o.argument), o.help.c_str());
    }
  }
  out.add_options()("config", po::value<std::vector<std::string>>()->value_name("FILE"), "read options from this file");
  return out;
}

result<given_options> from_arguments(const std::vector<std::string>& arguments) {
  if (auto checked = internal::check_words(arguments); !checked) return checked.error();
  static constexpr auto unexpected = "unexpected argument";
  given_options out;
  try {
    auto all = described();
    all.add_options()(unexpected, po::value<std::vector<std::string>>());
    using style = po::command_line_style::style_t;
    const auto parsed = po::command_line_parser(arguments)
                            .options(all)
                            .positional(po::positional_options_description().add(unexpected, -1))
                            .style(style::allow_long | style::long_allow_next |
                                   style::long_allow_adjacent)  // no guessing of short forms
                            .run();
    for (const auto& o : parsed.options) {
      if (o.string_key == unexpected) return bad("unexpected argument '" + o.value.front() + "'");
      const auto text = o.value.empty() ? "true" : o.value.front();
      out[o.string_key].push_back({text, "--" + o.string_key});
    }
  } catch (const po::error& e) {
    return bad(e.what());
  }
  return out;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

/// key = value, one a line; '#' or ';' begin a comment line. Read here and not by Program_options, which forgets the
/// lines that its errors are about.
result<given_options> from_file(const std::string& path) {
  auto text = read_file(path);
  if (!text) return text.error();
  given_options out;
  std::istringstream lines(*text);
  std::string raw;
  for (int number = 1; std::getline(lines, raw); ++number) {
    const auto where = path + ":" + std::to_string(number);
    const auto line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (line != "[flockd]") return bad(where + ": unknown section " + line);
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string::npos) return bad(where + ": expected key = value, found '" + line + "'");
    const auto key = trimmed(line.substr(0, equals));
    const auto* known = find_option(key);
    if (!known) return bad(where + ": unknown key '" + key + "'");
    auto& values = out[key];
    if (!values.empty() && !known->repeats) return bad(where + ": " + key + " is given twice");
    values.push_back({trimmed(line.substr(equals + 1)), where + ": " + key});
  }
  return out;
}

/// What flockd tells the commands of execute resources; one of them may start a flockd.
bool is_for_commands(std::string_view variable) {
  constexpr std::string_view all[] = {"FLOCK_RUN", "FLOCK_NODE", "FLOCK_RESOURCE", "FLOCK_ACTION",
                                      "FLOCK_NOTIFICATION"};
  return std::find(std::begin(all), std::end(all), variable) != std::end(all);
}

result<given_options> from_environment(const std::map<std::string, std::string>& variables) {
  given_options out;
  for (const auto& [name, text] : variables) {
    if (!name.starts_with("FLOCK_") || is_for_commands(name)) continue;
    auto key = name.substr(6);
    std::transform(key.begin(), key.end(), key.begin(), [](char c) {
      return c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    const auto* known = find_option(key);
    if (!known) return bad(name + ": there is no option " + key);
    if (!known->repeats) {
      out[key].push_back({text, name});
      continue;
    }
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) out[key].push_back({trimmed(word), name});
  }
  return out;
}

result<void> check_together(const config& c, const origins& from) {
  const auto where = [&](std::initializer_list<std::string_view> options) {
    for (auto o : options)
      if (auto given = from.find(o); given != from.end()) return given->second;
    return std::string(*options.begin());
  };
  const int files = !c.tls_ca.empty() + !c.tls_cert.empty() + !c.tls_key.empty();
  if (files != 0 && files != 3) {
    return bad(where({"tls-ca", "tls-cert", "tls-key"}) + ": tls-ca, tls-cert and tls-key belong together; " +
               std::to_string(files) + " of them given");
  }
  if (c.session_timeout < 2 * c.heartbeat) {
    const auto session = format_duration(c.session_timeout), heartbeat = format_duration(c.heartbeat);
    if (from.contains("session-timeout"))
      return bad(where({"session-timeout"}) + ": " + session + " is less than twice the heartbeat, " + heartbeat);
    return bad(where({"heartbeat"}) + ": " + heartbeat + " is more than half the session-timeout, " + session);
  }
  return {};
}

/// zookeeper is another word for registry.
result<void> check_registry(const given_options& source) {
  const auto url = source.find("registry"), servers = source.find("zookeeper");
  if (url == source.end() || servers == source.end()) return {};
  return bad(servers->second.front().where + ": registry is given too, at " + url->second.front().where);
}

}  // namespace

std::optional<std::string> config::alone() const {
  if (tls() || insecure) return std::nullopt;
  return "without certificates (tls-ca, tls-cert, tls-key) a node is alone: it listens nowhere, reaches nobody" +
         (registry.in_memory() ? std::string() : " and leaves " + registry.str() + " alone") +
         "; insecure lets it speak in the clear with whoever connects";
}

result<registry_url> registry_url::parse(std::string_view text) {
  if (text == "memory:") return registry_url{};
  const auto wrong = [&] {
    return bad("'" + std::string(text) + "' is neither zk://host:port[,host:port]/path nor memory:");
  };
  if (!text.starts_with("zk://")) return wrong();
  const auto rest = text.substr(5);
  const auto slash = rest.find('/');
  registry_url out;
  out.servers = std::string(rest.substr(0, slash));
  if (slash == std::string_view::npos) return bad("'" + std::string(text) + "' has no path, such as /flock");
  out.path = std::string(rest.substr(slash));
  if (out.path == "/" || out.path.ends_with('/') || out.path.find("//") != std::string::npos ||
      !is_printable_utf8(out.path))
    return bad("'" + out.path + "' is no path for a flock");
  std::istringstream servers(out.servers);
  if (out.servers.empty()) return wrong();
  for (std::string server; std::getline(servers, server, ',');)
    if (auto checked = check_endpoint(server); !checked) return checked.error();
  if (out.servers.ends_with(',')) return wrong();
  return out;
}

std::string registry_url::str() const { return in_memory() ? "memory:" : "zk://" + servers + path; }

result<config> read_config(const config_sources& from) {
  auto arguments = from_arguments(from.arguments);
  if (!arguments) return arguments.error();
  auto environment = from_environment(from.environment);
  if (!environment) return environment.error();

  config out;
  out.state_dir = from.default_state_dir;
  given_options file;
  const auto named = arguments->find("config");
  if (named != arguments->end() && named->second.size() > 1) return bad("--config is given twice");
  if (named != arguments->end()) out.file = named->second.front().text;
  if (named == arguments->end() && !from.default_file.empty() && ::access(from.default_file.c_str(), F_OK) == 0)
    out.file = from.default_file;
  if (!out.file.empty()) {
    auto read = from_file(out.file);
    if (!read) return read.error();
    file = *std::move(read);
  }

  const given_options* strongest_first[] = {&*arguments, &file, &*environment};
  origins settled;
  for (const auto* source : strongest_first) {
    if (auto checked = check_registry(*source); !checked) return checked.error();
    origins here;
    for (const auto& [key, values] : *source) {
      const auto* known = find_option(key);
      const auto meaning = key == "zookeeper" ? "registry" : key;
      if (!known || values.empty() || settled.contains(meaning)) continue;
      here.emplace(meaning, values.front().where);
      if (values.size() > 1 && !known->repeats) return bad(values.back().where + " is given twice");
      for (const auto& v : values)
        if (auto set = known->set(out, v.text); !set) return set.error().within(v.where);
    }
    settled.merge(here);
  }
  if (auto checked = check_together(out, settled); !checked) return checked.error();
  return out;
}

std::map<std::string, std::string> environment_variables() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::string config_help() {
  std::ostringstream out;
  out << described()
      << "\nThe same options can stand in a file (key = value), and in the environment as FLOCK_<OPTION>,"
      << "\nwith '-' as '_'. The command line comes first, then the file, then the environment.\n";
  return out.str();
}

}  // namespace flock

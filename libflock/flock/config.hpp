#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/node_info.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// Where the registry is. Text form: "zk://host:port[,host:port]/path" or "memory:" for one process alone.
struct registry_url {
  std::string servers;  ///< "host:port,host:port"; empty for memory
  std::string path = "/flock";

  bool in_memory() const { return servers.empty(); }
  /// Errors: bad_argument
  static result<registry_url> parse(std::string_view text);
  std::string str() const;

  friend bool operator==(const registry_url&, const registry_url&) = default;
};

/// What a node is started with. The same options come from the command line, from a file in INI form and from the
/// environment (FLOCK_ and the name in capitals, '-' as '_'), in this order of precedence; see flockd(8).
struct config {
  std::optional<node_id> id;  ///< default: the host name
  registry_url registry;
  std::string registry_auth;  ///< "digest:user:password"; the file is read where "@path" was given
  std::string listen = "127.0.0.1:22222";
  std::string advertise;  ///< "host:port" others connect to; default: where it listens
  std::string socket = "/run/flock/flockd.sock";
  std::string state_dir;  ///< where the journal is; empty: none, and what waits is lost with the process
  std::string resources = "/etc/flock/resources.d";
  std::string policy;     ///< a file; empty for the default policy
  node_attributes about;  ///< environment, role, recipe, tag, attributes
  std::string tls_ca, tls_cert, tls_key;
  bool insecure = false;
  milliseconds session_timeout{10'000};
  milliseconds heartbeat{1'000};
  milliseconds call_timeout{5'000};
  milliseconds notification_ttl{24 * 3600'000};
  std::string chef_command;
  std::string chef_lock;
  std::string log_level = "info";
  bool check_config = false;
  std::string file;  ///< the one that was read

  bool tls() const { return !tls_cert.empty(); }
  /// Why this node listens nowhere and reaches nobody, if so: it has no certificates, and is not insecure.
  std::optional<std::string> alone() const;
};

/// What the start of a program gives to read_config().
struct config_sources {
  std::vector<std::string> arguments;              ///< without the program's name
  std::map<std::string, std::string> environment;  ///< all of it; only FLOCK_* is looked at
  std::string default_file;                        ///< read if it exists; --config names another, which must
  std::string default_state_dir{};                 ///< flockd's is /var/lib/flock; other programs have none
};

/// Errors: bad_argument, io; the text names the file, the line and the key, or the option or variable, and the value.
result<config> read_config(const config_sources& from);

/// The variables of this process.
std::map<std::string, std::string> environment_variables();

/// The options as --help prints them.
std::string config_help();

}  // namespace flock

#pragma once

#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/config.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/node_info.hpp>
#include <flock/ref.hpp>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace flock {

class node_core;

/// This process as a member of a flock: publishes actors, finds those of others. Safe for threads. The destructor stops
/// it.
class node {
 public:
  /// Whether notifications for this node are performed from its start on, or wait until its actors are published and
  /// resume() says so: one for an actor that is not there yet would fail.
  enum class deliveries : std::uint8_t { at_once, held };

  /// Starts a node and returns when it is ready, which it is without the registry too: it joins when that appears.
  /// Errors: bad_argument, io (see config), conflict (another living node has this id, or another process its
  /// state-dir), refused (a newer Flock wrote what is in its state-dir)
  static result<node> start(const config& with, deliveries when = deliveries::at_once);
  /// Whether start() could use the state-dir, as far as that shows without changing anything. Errors: io, refused
  static result<void> check(const config& with);
  void resume();

  /// For main(): reads the options (see read_config), prints and exits on --help, --version and on anything wrong.
  static node start(int argc, char** argv);

  node(node&& other) noexcept;
  node& operator=(node&& other) noexcept;
  ~node();

  const node_id& id() const;
  /// "host:port" where other nodes reach this one.
  std::string address() const;

  /// Publishes an object of a described class under a name, found from everywhere. It handles one message at a time;
  /// when it throws it is made anew, with backoff, and its name keeps working. Its constructor gets `arguments`, and a
  /// node& first if it takes one. Names of the form type[name] are those of resources.
  /// Errors: conflict (the name is taken on this node), bad_argument (no such name is possible), shutting_down
  template <describable T, class... A> result<ref<T>> publish(std::string name, A... arguments) {
    auto make = [self = &lasting(), arguments...]() -> std::unique_ptr<actor_object> {
      if constexpr (std::is_constructible_v<T, node&, A...>)
        return std::make_unique<described_actor<T>>(std::make_unique<T>(*self, arguments...));
      else
        return std::make_unique<described_actor<T>>(std::make_unique<T>(arguments...));
    };
    auto where = publish_object(std::move(name), type_of<T>(), std::move(make));
    if (!where) return where.error();
    return ref<T>(as_caller(), *std::move(where));
  }

  void unpublish(const std::string& name);

  /// Finds "node/actor" on that node, or "actor" on any living one, waiting until it appears.
  /// Errors: not_found (not there after `at_most`), unreachable, bad_argument
  template <describable T> result<ref<T>> find(const std::string& where, milliseconds at_most = milliseconds(5000)) {
    auto found = find_address(where, at_most);
    if (!found) return found.error();
    return ref<T>(as_caller(), *std::move(found));
  }

  /// All that publish this actor name now.
  /// Errors: unreachable (the registry did not answer within the call timeout)
  template <describable T> result<std::vector<ref<T>>> find_all(const std::string& actor) {
    auto found = find_addresses(actor);
    if (!found) return found.error();
    std::vector<ref<T>> all;
    for (auto& where : *found) all.emplace_back(as_caller(), std::move(where));
    return all;
  }

  /// Calls a method by name, for callers without the class. Blocks, as ref's call does.
  result<value> call(const std::string& where, const std::string& method, value::list arguments);

  /// The nodes that this one is connected with.
  std::vector<node_info> peers() const;

  /// Blocks until SIGTERM, SIGINT or stop(). \returns 0, to be main()'s
  int wait();

  /// Says goodbye and ends everything within five seconds. Safe to call twice, and from any thread but an actor's.
  void stop();

  /// Reads the certificates again. Errors: io, bad_argument; the ones in use stay
  result<void> reload_certificates();

  /// What a daemon is built on; see node_core.hpp.
  node_core& core() const;

 private:
  struct parts;
  node(std::shared_ptr<parts> p, bool owns);

  using factory = std::function<std::unique_ptr<actor_object>()>;
  template <class T> static std::string type_of() { return type_name(typeid(T).name()); }
  static std::string type_name(const char* mangled);
  result<flock::address> publish_object(std::string name, std::string type, factory make);
  result<flock::address> find_address(const std::string& where, milliseconds at_most);
  result<std::vector<flock::address>> find_addresses(const std::string& actor);
  std::shared_ptr<caller> as_caller() const;
  /// This node as an actor may keep it: it stays where it is when this object is moved.
  node& lasting() const;

  std::shared_ptr<parts> parts_;  // kept alive by refs, too, which find it stopped
  bool owns_ = true;
};

}  // namespace flock

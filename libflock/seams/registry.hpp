#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// One entry of the registry's tree.
struct registry_entry {
  std::string data;          ///< at most registry::max_data bytes
  std::int64_t version = 0;  ///< counts the changes of the data, from 0
  std::int64_t created = 0;  ///< grows with every creation in the whole registry: tells an entry from its successor
  bool ephemeral = false;    ///< ends with the session that made it
  bool ours = false;         ///< made by this very session
};

/// What is directly below one entry of the tree.
struct registry_list {
  std::vector<std::string> names;  ///< sorted
  std::int64_t created = 0;        ///< of the entry itself
  std::int64_t changes = 0;        ///< how often an entry below it was made or removed, since it was created

  friend bool operator==(const registry_list&, const registry_list&) = default;
};

/// Whether each entry that stands in both lists of one path was there all the time between them. One that was removed
/// and made again has the same name, but counts as two changes more than the names tell.
bool nothing_was_replaced(const registry_list& before, const registry_list& now);

/// Where the registry's session stands.
enum class session_state : std::uint8_t {
  connecting = 1,  ///< no session yet, or none after a loss
  ready,      ///< connected; a change to ready with fresh == true means that everything must be read and made again
  suspended,  ///< not connected, though the session may live: ephemeral entries still stand
  lost,       ///< the session is over, or its time-out has passed on our own clock: our ephemeral entries are gone
};

inline constexpr session_state last_session_state = session_state::lost;

std::string_view to_string(session_state s);

/// Who is where: the seam to ZooKeeper. A tree of small entries; ephemeral ones vanish with the session of their maker.
///
/// Paths start with '/', are relative to the flock's root, and have no empty element. Every call returns at once; its
/// answer comes on a thread of the registry, may not block, and comes exactly once: also when the connection is lost,
/// and with shutting_down when the registry stops. While the session is not ready, calls fail at once with
/// session_lost.
///
/// Errors of all calls: session_lost (not ready; not done), maybe_done (the connection went while a change was under
/// way), refused (not allowed by an access list, or too large)
class registry {
 public:
  class listener {
   public:
    virtual ~listener() = default;
    /// \param fresh  with ready: this is a new session; watches and ephemeral entries of the one before are gone
    virtual void session_changed(session_state now, bool fresh) = 0;
    /// Something that was read with `watch` has changed. Each watch fires at most once.
    virtual void changed(const std::string& path) = 0;
  };

  /// persistent: stays. ephemeral: ends with the session. container: vanishes some time after its last child did.
  enum class kind : std::uint8_t { persistent, ephemeral, container };

  template <class T> using answer = std::function<void(result<T>)>;

  virtual ~registry() = default;

  /// Starts to connect and goes on until stop().
  virtual void start(listener& to) = 0;

  /// Makes an entry and, as containers, the parents that it lacks.
  /// Errors: conflict (it exists already)
  virtual void create(const std::string& path, std::string data, kind k, answer<registry_entry> done) = 0;
  /// Errors: not_found (with watch: changed() tells when it appears)
  virtual void get(const std::string& path, bool watch, answer<registry_entry> done) = 0;
  /// The entries directly below.
  /// Errors: not_found (with watch: changed() tells when it appears)
  virtual void children(const std::string& path, bool watch, answer<registry_list> done) = 0;
  /// \param version  only if the entry still has it; any_version for always
  /// Errors: not_found, conflict (it has another version)
  virtual void set(const std::string& path, std::string data, std::int64_t version, answer<registry_entry> done) = 0;
  /// Errors: not_found, conflict (another version, or it has children)
  virtual void remove(const std::string& path, std::int64_t version, answer<void> done) = 0;

  /// Where it is connected, and counts of what was asked of it: for status and metrics.
  struct statistics {
    std::string server;
    std::uint64_t session = 0;
    std::uint64_t operations = 0;
    std::uint64_t watches_fired = 0;
    std::string last_error;
  };
  virtual statistics stats() const = 0;

  /// Ends the session, so that ephemeral entries vanish at once. Answers all open calls. The listener is not called
  /// afterwards. Not to be called in an answer or a report.
  virtual void stop() = 0;

  static constexpr std::int64_t any_version = -1;
  /// ZooKeeper's servers drop the connection of whoever sends more than 1 MB; this leaves room for the path.
  static constexpr std::size_t max_data = 1'000'000;
};

}  // namespace flock

#pragma once

#include "actors/resource/declaration.hpp"
#include "libflock/words/location.hpp"
#include "tools/sim/history.hpp"
#include <flock/name.hpp>

#include <string>
#include <vector>

namespace flock::simulator {

/// The kind of resource that simulated nodes declare: sim[a], sim[b]... Its actions: `run` updates it, once for each
/// notification; `check` and `hear` find it up to date, `fail` fails. They may take their time, as commands do; those
/// of sim[now] never do.
const resource_type& simulated_type();

/// The kind that simulated Chef runs declare: chef[a]..., with the same actions.
constexpr std::string_view chef_type = "chef";

/// Sees what is done on a machine.
class onlooker {
 public:
  virtual ~onlooker() = default;

  /// An action begins. Whoever sees it may let the process crash now.
  virtual void begins(const resource_name& what, std::string_view action, const attempt& how) = 0;
  /// Whether all who ask for it had it completed, by an earlier attempt.
  virtual bool is_done(const attempt& how) = 0;
  virtual void ends(const resource_name& what, std::string_view action, const attempt& how) = 0;
};

/// A resource as a file declares it, without any wishes. Nobody performs its actions yet.
declaration declare(const resource_name& name);

/// Says anew what stands in the file, after a declaration was changed. \param revision  makes two texts differ that
/// otherwise say the same
void write_down(declaration& d, int revision);

/// The same with a provider, as a process has it that has read it.
declaration read_by(declaration d, onlooker& who);

resource_name simulated(const std::string& name);
resource_name of_chef(const std::string& name);
location only(const node_id& id);

/// What will become of an action, if it is done. \param could_be_declared  by files and Chef, sooner or later
intent meant(const notification& n, bool admitted, const std::vector<resource_name>& could_be_declared);

}  // namespace flock::simulator

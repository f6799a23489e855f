#pragma once

#include "actors/resource/declaration.hpp"
#include "libflock/words/location.hpp"
#include "tools/sim/history.hpp"
#include <flock/name.hpp>

#include <string>
#include <vector>

namespace flock::simulator {

/// The kind of resource that simulated nodes declare: sim[a], sim[b]... Its actions: `run` updates it, `check` finds it
/// up to date, `fail` fails. They may take their time, as commands do; those of sim[now] never do.
const resource_type& simulated_type();

/// A resource without any wishes.
declaration declare(const resource_name& name);

resource_name simulated(const std::string& name);
location only(const node_id& id);

/// What will become of an action, if it is done.
intent meant(const notification& n, bool admitted, const std::vector<declaration>& declared);

}  // namespace flock::simulator

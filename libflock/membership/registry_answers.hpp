#pragma once

#include "libflock/seams/registry.hpp"
#include "libflock/seams/runtime.hpp"
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <memory>
#include <optional>
#include <utility>

// What the parts of membership do with a registry's answers.

namespace flock::internal {

using entry_answer = result<registry_entry>;
using list_answer = result<registry_list>;

/// Answers come on the registry's thread; what is done with them belongs to the mailbox, while `owner` lives.
template <class T, class F>
registry::answer<T> answered_in(std::shared_ptr<mailbox> home, std::weak_ptr<void> owner, F then) {
  return [home = std::move(home), owner = std::move(owner), then = std::move(then)](result<T> r) {
    home->post([owner, then, r = std::move(r)]() mutable {
      if (auto alive = owner.lock()) then(std::move(r));
    });
  };
}

/// What an entry says. Nothing if it cannot be read: then a version to come wrote it, and it is as if it were not
/// there.
template <class T> std::optional<T> read(const registry_entry& entry) {
  auto json = from_json(entry.data);
  if (!json) return std::nullopt;
  auto value = T::from_value(*json);
  return value ? std::optional(*std::move(value)) : std::nullopt;
}

template <class T> bool is_not_found(const result<T>& r) { return !r && r.error().code == error_code::not_found; }
template <class T> bool is_conflict(const result<T>& r) { return !r && r.error().code == error_code::conflict; }

}  // namespace flock::internal

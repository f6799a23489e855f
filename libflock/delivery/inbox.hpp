#pragma once

#include "libflock/values/invariant.hpp"
#include "libflock/words/parcel.hpp"
#include <flock/name.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace flock {

/// The receiving end of all channels to a node: takes each parcel once and in order. Pure.
///
/// A parcel is new if its channel stands at the number before it or beyond, but not at its own yet. Whatever is older
/// is a repetition, to be acknowledged again; whatever lies further ahead leaves a gap, and the rest of its batch is
/// dropped unacknowledged: the sender sends it again.
///
/// Of each channel holds: safe <= taken, and it has a name.
class inbox {
 public:
  struct taken {
    std::vector<batch::item> fresh;  ///< in order; to be made durable, performed, then acknowledged
    bool repeated = false;           ///< some had been taken before: acknowledge again
    bool gap = false;
  };

  taken receive(const node_id& from, batch b);

  /// Everything taken of this channel up to the number is durable.
  void safe(const node_id& from, const std::string& channel, std::uint64_t upto);
  /// What may be acknowledged: durable, not merely taken.
  acknowledgement safe_upto(const node_id& from, const std::string& channel) const;

  void restore(const node_id& from, const std::string& channel, std::uint64_t upto);

  /// The sender's storage has this id now: its channels from before will never be heard of again. \returns their names
  std::vector<std::string> forget_others(const node_id& from, const std::string& channel);

  broken check() const;

 private:
  struct position {
    std::uint64_t taken = 0;
    std::uint64_t safe = 0;
  };
  using channel_map = std::map<std::pair<node_id, std::string>, position>;

  broken check(const node_id& from, const std::string& channel) const;
  static broken check(const channel_map::value_type& channel);

  channel_map channels_;
};

}  // namespace flock

#pragma once

#include <flock/name.hpp>

#include <string>
#include <string_view>

/// Where what is in the registry; docs/registry_tree.md describes it. Paths are relative to the flock's root. <hh> are
/// the first two hexadecimal digits of a hash of the name (FNV-1a of 32 bits), so that no list of children outgrows the
/// registry's limit.
namespace flock::internal::registry_layout {

constexpr int version = 1;

inline const std::string version_path = "/version";
inline const std::string all_nodes_path = "/nodes";
inline const std::string all_attributes_path = "/attributes";

std::string node_path(const node_id& id);        // /nodes/<hh>/<id>
std::string attributes_path(const node_id& id);  // /attributes/<hh>/<id>
std::string actor_path(const actor_name& name);  // /actors/<hh>/<name>, percent-encoded
std::string bucket(std::string_view name);       // <hh>

}  // namespace flock::internal::registry_layout

#include "libflock/membership/registry_layout.hpp"

#include <cstdint>

namespace flock::internal::registry_layout {

namespace {

std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2'166'136'261;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return hash;
}

std::string element(const actor_name& name) {
  // ZooKeeper takes them for what they are in file systems, and refuses them.
  if (name == ".") return "%2E";
  if (name == "..") return "%2E%2E";
  return percent_encode(name.str());
}

}  // namespace

std::string node_path(const node_id& id) { return all_nodes_path + "/" + bucket(id.str()) + "/" + id.str(); }

std::string attributes_path(const node_id& id) { return all_attributes_path + "/" + bucket(id.str()) + "/" + id.str(); }

std::string actor_path(const actor_name& name) { return "/actors/" + bucket(name.str()) + "/" + element(name); }

std::string bucket(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  auto hash = fnv1a(name);
  return {digits[hash >> 28], digits[hash >> 24 & 15]};
}

}  // namespace flock::internal::registry_layout

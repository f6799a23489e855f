#include "node/chef/chef_memory.hpp"

#include "libflock/values/packed_reader.hpp"
#include "node/chef/chef_words.hpp"

#include <utility>

namespace flock {
namespace {

constexpr std::string_view prefix = "chef/";
constexpr std::string_view node_key = "chef/node";
constexpr std::string_view resource_prefix = "chef/resource/";
constexpr std::string_view subscription_prefix = "chef/subscription/";

/// Their order is that of the numbers.
std::string subscription_key(std::size_t number) {
  const auto digits = std::to_string(number);
  return std::string(subscription_prefix) + std::string(8 - digits.size(), '0') + digits;
}

std::map<std::string, std::string> records_of(const chef_memory::content& all) {
  std::map<std::string, std::string> records;
  for (const auto& [name, actions] : all.resources)
    records.emplace(std::string(resource_prefix) + name.str(), encode(to_value(actions)));
  for (std::size_t i = 0; i < all.subscribes.size(); ++i)
    records.emplace(subscription_key(i), encode(all.subscribes[i].to_value()));
  if (all.about) records.emplace(node_key, encode(all.about->to_value()));
  return records;
}

result<void> add_resource(chef_memory::content& to, std::string_view text, const value& actions) {
  auto name = resource_name::parse(text);
  if (!name) return name.error();
  auto names = from_value<std::vector<std::string>>(actions);
  if (!names) return names.error();
  to.resources.emplace(*std::move(name), *std::move(names));
  return {};
}

result<void> add_about(chef_memory::content& to, const value& told) {
  auto about = node_attributes::from_value(told);
  if (!about) return about.error();
  to.about = *std::move(about);
  return {};
}

result<void> add_record(chef_memory::content& to, std::string_view key, std::string_view data) {
  const auto kept = internal::unpack(data);
  if (!kept) return kept.error();
  if (key == node_key) return add_about(to, *kept);
  if (key.starts_with(resource_prefix)) return add_resource(to, key.substr(resource_prefix.size()), *kept);
  auto wish = subscriptions_from(value::list{*kept});
  if (!wish) return wish.error();
  to.subscribes.push_back(std::move(wish->front()));
  return {};
}

}  // namespace

chef_memory::chef_memory(storage& disk, scribe& records, log l) : disk_(disk), scribe_(records), log_(std::move(l)) {}

std::optional<chef_memory::content> chef_memory::recall() {
  content all;
  const auto complain = [this](const std::string& key, const std::string& why) {
    log_("error", key + ": " + why + "; Chef's next run says it again");
  };
  for (const auto& key : disk_.damaged())
    if (key.starts_with(prefix)) complain(key, "the record was damaged");
  const auto read = disk_.read(prefix, [&](std::string_view key, std::string_view data) {
    kept_.emplace(key, data);
    if (auto known = add_record(all, key, data); !known) complain(std::string(key), known.error().what);
  });
  if (!read) complain(std::string(prefix), read.error().what);
  if (kept_.empty()) return std::nullopt;
  return all;
}

void chef_memory::keep(const content& all) {
  auto next = records_of(all);
  for (const auto& [key, data] : kept_)
    if (!next.contains(key)) scribe_.remove(key);
  for (const auto& [key, data] : next)
    if (const auto before = kept_.find(key); before == kept_.end() || before->second != data) scribe_.put(key, data);
  kept_ = std::move(next);
  scribe_.soon();
}

result<chef_memory::content> chef_memory::from_file(std::string_view text) {
  // A node may have more resources than fit in a message.
  const auto file = from_json(text, {.bytes = 64 << 20, .depth = 64});
  if (!file) return file.error();
  content all;
  if (const auto* resources = (*file)["resources"].as_map())
    for (const auto& [name, actions] : *resources) (void)add_resource(all, name, actions);
  if (auto wishes = subscriptions_from((*file)["subscribes"])) all.subscribes = *std::move(wishes);
  if (!(*file)["about"].is_null()) (void)add_about(all, (*file)["about"]);
  return all;
}

}  // namespace flock

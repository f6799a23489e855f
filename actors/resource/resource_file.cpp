#include "actors/resource/resource_file.hpp"

#include "actors/resource/json_outline.hpp"
#include "actors/resource/listed.hpp"
#include "libflock/values/presentable.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <utility>

namespace flock {
namespace {

// Nobody reads more of them before mending the first ones; a file has room for a million.
constexpr std::size_t told_faults = 100;

result<wanted_action> wish_from(const value& v) {
  auto wanted = wanted_action::from_value(v);
  if (wanted && wanted->when == timing::before) {
    return error{error_code::bad_argument, "timing: before is for Chef's resources; there are immediately, delayed"};
  }
  return wanted;
}

/// The members are those of remote_notifies, but for their meaning: the resource is watched, the action is of `ours`.
result<subscription> subscription_from(const value& v, const declaration& ours) {
  if (!v["on"].is_null()) return error{error_code::bad_argument, "on: a subscription has no such member"};
  auto wanted = wish_from(v);
  if (!wanted) return wanted.error();
  if (!ours.type->has_action(wanted->action)) {
    return error{error_code::bad_argument,
                 "action: unknown action " + wanted->action + "; there are " + ours.type->action_names()};
  }
  const auto when = v["timing"].is_null() ? timing::delayed : wanted->when;
  return subscription::make(wanted->resource, wanted->where, ours.name, wanted->action, when);
}

/// Reads files one after the other and collects declarations and faults.
class parser {
 public:
  void parse(const resource_file& file) {
    file_ = &file;
    const auto all = from_json(file.text, {.bytes = resource_file::max_size});
    if (!all) return complain(file.path + ": " + all.error().what);
    if (all->as_map() == nullptr) return complain(file.path + ":1: " + wrong_kind("one object", *all).what);
    const json_outline outline(file.text);
    outline_ = &outline;
    for (const auto& key : outline.keys()) parse_resource(key, (*all)[key]);
  }

  result<std::vector<declaration>> finish() && {
    if (faults_.empty()) return std::move(declared_);
    if (fault_count_ > told_faults) faults_ += "\nand " + std::to_string(fault_count_ - told_faults) + " more";
    return error{error_code::bad_argument, std::move(faults_)};
  }

 private:
  void complain(const std::string& what) {
    if (++fault_count_ <= told_faults) faults_ += (faults_.empty() ? "" : "\n") + internal::presentable(what);
  }

  /// \param path  the keys that lead to what is wrong; indices go by their numbers
  void complain_of(std::initializer_list<std::string> path, const std::string& what) {
    if (fault_count_ >= told_faults) return complain({});
    std::string where = file_->path + ":" + std::to_string(outline_->line_of(path));
    for (const auto& part : path) where += ": " + part;
    complain(where + ": " + what);
  }

  void parse_resource(const std::string& key, const value& members) {
    const auto name = resource_name::parse(key);
    if (!name) return complain_of({key}, name.error().what);
    if (members.as_map() == nullptr) return complain_of({key}, wrong_kind("an object", members).what);
    const auto* type = find_resource_type(name->type);
    if (type == nullptr)
      return complain_of({key}, "unknown type; there are " + listed(resource_types(), &resource_type::name));

    declaration read{
        .name = *name, .type = type, .members = members, .file = file_->path, .line = outline_->line_of({key})};
    const auto [other, is_new] = places_.emplace(read.name, read.place());
    if (!is_new) return complain_of({key}, "is declared twice, first in " + other->second);
    parse_members(key, read);
    declared_.push_back(std::move(read));
  }

  void parse_members(const std::string& key, declaration& into) {
    declared_members members(into.members);
    into.what = into.type->make(into.name, members);
    into.action = into.type->actions.front().name;
    members.read("action", into.action);
    if (!into.type->has_action(into.action)) {
      members.complain("action", "unknown action " + into.action + "; there are " + into.type->action_names());
    }
    members.read("only_if", into.guards.only_if, &texts_from);
    members.read("not_if", into.guards.not_if, &texts_from);
    value::list notifies;
    value::list subscribes;
    members.read("remote_notifies", notifies);
    members.read("remote_subscribes", subscribes);
    for (const auto& [member, what] : members.finish()) complain_of({key, member}, what);
    parse_list({key, "remote_notifies"}, notifies, into.notifies, &wish_from);
    parse_list({key, "remote_subscribes"}, subscribes, into.subscribes,
               [&into](const value& v) { return subscription_from(v, into); });
  }

  template <class T, class Parse>
  void parse_list(const std::pair<std::string, std::string>& place, const value::list& from, std::vector<T>& into,
                  Parse parse_one) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      auto read = parse_one(from[i]);
      if (read)
        into.push_back(*std::move(read));
      else
        complain_of({place.first, place.second, std::to_string(i)}, read.error().what);
    }
  }

  const resource_file* file_ = nullptr;
  const json_outline* outline_ = nullptr;
  std::map<resource_name, std::string> places_;
  std::vector<declaration> declared_;
  std::string faults_;
  std::size_t fault_count_ = 0;
};

result<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::vector<char> part(64 * 1024);
  while (in.read(part.data(), static_cast<std::streamsize>(part.size())) || in.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > resource_file::max_size) return text;  // which the parser then refuses
  }
  if (!in.eof()) return error{error_code::io, "cannot read " + path.string()};
  return text;
}

}  // namespace

result<std::vector<declaration>> parse_resources(const std::vector<resource_file>& files) {
  parser all;
  for (const auto& file : files) all.parse(file);
  return std::move(all).finish();
}

result<std::vector<declaration>> read_resources(const std::string& folder) {
  std::error_code failed;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    const auto& path = at->path();
    if (path.extension() == ".json" && !path.filename().string().starts_with('.')) paths.push_back(path);
  }
  if (failed == std::errc::no_such_file_or_directory) return error{error_code::not_found, "no folder " + folder};
  if (failed) return error{error_code::io, "cannot read folder " + folder + ": " + failed.message()};
  std::sort(paths.begin(), paths.end());

  std::vector<resource_file> files;
  for (const auto& path : paths) {
    auto text = read_text(path);
    if (!text) return text.error();
    files.push_back({path.string(), *std::move(text)});
  }
  return parse_resources(files);
}

}  // namespace flock

#include "node/chef/chef_memory.hpp"

#include "node/chef/chef_words.hpp"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <utility>

namespace flock {
namespace {

value to_value(const chef_memory::content& all) {
  value::map resources;
  for (const auto& [name, actions] : all.resources) {
    value::list names;
    for (const auto& a : actions) names.emplace_back(a);
    resources.emplace(name.str(), std::move(names));
  }
  value::list subscribes;
  for (const auto& s : all.subscribes) subscribes.push_back(s.to_value());
  return value::map{{"resources", std::move(resources)},
                    {"subscribes", std::move(subscribes)},
                    {"about", all.about ? all.about->to_value() : value()}};
}

/// What cannot be understood is left out: Chef's next run says it again.
chef_memory::content content_from(const value& all) {
  chef_memory::content read;
  if (const auto* resources = all["resources"].as_map()) {
    for (const auto& [text, actions] : *resources) {
      auto name = resource_name::parse(text);
      auto names = from_value<std::vector<std::string>>(actions);
      if (name && names) read.resources.emplace(*std::move(name), *std::move(names));
    }
  }
  if (auto wishes = subscriptions_from(all["subscribes"])) read.subscribes = *std::move(wishes);
  if (auto about = node_attributes::from_value(all["about"]); about && !all["about"].is_null())
    read.about = *std::move(about);
  return read;
}

}  // namespace

/// The last content that was given is written, on whatever thread.
struct chef_memory::file {
  std::string path;
  std::mutex mutex;  // guards the file and next
  std::optional<std::string> next;

  void write(const log& complain) {
    std::lock_guard lock(mutex);
    if (!next) return;
    const auto text = *std::exchange(next, std::nullopt);
    const auto fresh = path + ".new";
    std::error_code failed;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (out) std::filesystem::rename(fresh, path, failed);
    if (!out || failed) complain("warning", "cannot write " + path + "; a restart forgets Chef's resources");
  }
};

chef_memory::chef_memory(std::string path, runtime& threads, log l)
    : threads_(threads), log_(std::move(l)), file_(std::make_shared<file>()) {
  file_->path = std::move(path);
}

void chef_memory::keep(const content& all) const {
  {
    std::lock_guard lock(file_->mutex);
    file_->next = to_json(to_value(all), 1);
  }
  threads_.run_blocking([file = file_, complain = log_] { file->write(complain); });
}

std::optional<chef_memory::content> chef_memory::recall() const {
  std::ifstream in(file_->path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  // A node may have more resources than fit in a message.
  const auto all = from_json(text.str(), {.bytes = 64 << 20, .depth = 64});
  if (all) return content_from(*all);
  log_("error", file_->path + ": " + all.error().what + "; Chef's resources are unknown until its next run");
  return std::nullopt;
}

}  // namespace flock

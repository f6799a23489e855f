#include "actors/resource/file_resource.hpp"

#include "actors/resource/posix.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace flock {
namespace {

constexpr mode_t mode_bits = 07777;
constexpr mode_t new_file_mode = 0644;

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISLNK(mode)) return "a symbolic link";
  return "a device, a socket or a pipe";
}

/// \returns nothing if there is no such file. Errors: io (something else is in its place, too)
result<std::optional<struct stat>> look_at(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return std::optional<struct stat>();
    return system_error("cannot look at " + path);
  }
  if (!S_ISREG(there.st_mode)) {
    return error{error_code::io, path + " is " + std::string(kind_of(there.st_mode)) + ", not a plain file"};
  }
  return std::optional(there);
}

result<bool> holds(const std::string& path, const std::string& content) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_error("cannot read " + path);
  std::array<char, 64 * 1024> bytes;
  std::size_t at = 0;
  for (;;) {
    const auto count = ::read(file.number(), bytes.data(), bytes.size());
    if (count < 0) return system_error("cannot read " + path);
    if (count == 0) return at == content.size();
    const std::string_view part(bytes.data(), static_cast<std::size_t>(count));
    if (content.compare(at, part.size(), part) != 0) return false;
    at += part.size();
  }
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Makes a name that came or went durable.
result<void> sync_folder(const std::string& folder) {
  const descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open || ::fsync(open.number()) != 0) return system_error("cannot sync folder " + folder);
  return {};
}

/// A file that is being written and has not got its name yet; removed if it never gets it.
class unnamed_file {
 public:
  static result<unnamed_file> make_in(const std::string& folder) {
    unnamed_file made;
    made.path_ = (folder == "/" ? "" : folder) + "/.flock-XXXXXX";
    made.file_ = descriptor(::mkostemp(made.path_.data(), O_CLOEXEC));
    if (!made.file_) return system_error("cannot make a file in " + folder);
    return made;
  }
  unnamed_file(unnamed_file&&) = default;
  unnamed_file& operator=(unnamed_file&&) = delete;
  ~unnamed_file() {
    if (file_) ::unlink(path_.c_str());
  }

  result<void> write(std::string_view content) {
    while (!content.empty()) {
      const auto count = ::write(file_.number(), content.data(), content.size());
      if (count < 0 && errno != EINTR) return system_error("cannot write " + path_);
      if (count > 0) content.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  /// \param like  keep its owner; may be empty
  result<void> set(mode_t mode, const std::optional<struct stat>& like) {
    struct stat mine {};
    const int file = file_.number();
    if (::fstat(file, &mine) != 0) return system_error("cannot look at " + path_);
    const bool is_its = !like || (like->st_uid == mine.st_uid && like->st_gid == mine.st_gid);
    // The owner first, as a change of it takes the set-user-id bit away.
    if (!is_its && ::fchown(file, like->st_uid, like->st_gid) != 0) return system_error("cannot keep the owner");
    if (::fchmod(file, mode) != 0) return system_error("cannot set the mode");
    return {};
  }

  result<void> take_place_of(const std::string& path) {
    if (::fsync(file_.number()) != 0) return system_error("cannot sync " + path_);
    if (::rename(path_.c_str(), path.c_str()) != 0) return system_error("cannot replace " + path);
    file_.close();
    return sync_folder(folder_of(path));
  }

 private:
  unnamed_file() = default;

  std::string path_;
  descriptor file_;
};

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & mode_bits);
  return text.data();
}

class file_provider final : public provider {
 public:
  file_provider(const resource_name& name, declared_members& members) : path_(name.name) {
    members.read("path", path_);
    if (const auto path = absolute_path_from(path_); !path) members.complain("path", path.error().what);
    members.read("content", content_);
    members.read("mode", mode_, &mode_from);
  }

  action_report perform(std::string_view action, const attempt& how) const override {
    const auto there = look_at(path_);
    if (!there) return action_report::failed(there.error());
    return action == "delete" ? remove(there->has_value(), how) : create(*there, how);
  }

 private:
  action_report create(const std::optional<struct stat>& there, const attempt& how) const {
    result<bool> same_content = there.has_value();
    if (there && content_) same_content = holds(path_, *content_);
    if (!same_content) return action_report::failed(same_content.error());
    const mode_t mode = mode_.value_or(there ? there->st_mode & mode_bits : new_file_mode);
    const bool same_mode = there && (there->st_mode & mode_bits) == mode;
    if (*same_content && same_mode) return {.how = outcome::up_to_date};

    const std::string change = !there          ? "create " + path_
                               : *same_content ? "change the mode of " + path_ + " to " + octal(mode)
                                               : "write " + path_;
    if (how.why_run) return {.how = outcome::updated, .output = "would " + change};
    const auto done = *same_content ? change_mode(mode) : replace(there, mode);
    if (!done) return action_report::failed(done.error());
    return {.how = outcome::updated, .output = change};
  }

  action_report remove(bool is_there, const attempt& how) const {
    if (!is_there) return {.how = outcome::up_to_date};
    if (how.why_run) return {.how = outcome::updated, .output = "would delete " + path_};
    if (::unlink(path_.c_str()) != 0) return action_report::failed(system_error("cannot delete " + path_));
    if (auto synced = sync_folder(folder_of(path_)); !synced) return action_report::failed(synced.error());
    return {.how = outcome::updated, .output = "delete " + path_};
  }

  result<void> change_mode(mode_t mode) const {
    if (::chmod(path_.c_str(), mode) != 0) return system_error("cannot change the mode of " + path_);
    return {};
  }

  result<void> replace(const std::optional<struct stat>& there, mode_t mode) const {
    auto fresh = unnamed_file::make_in(folder_of(path_));
    if (!fresh) return fresh.error();
    if (auto written = fresh->write(content_.value_or("")); !written) return written;
    if (auto set = fresh->set(mode, there); !set) return set.error().within(path_);
    return fresh->take_place_of(path_);
  }

  std::string path_;
  std::optional<std::string> content_;
  std::optional<mode_t> mode_;
};

}  // namespace

resource_type file_resource() {
  return {"file",
          {describe_action("create", "makes it, with its content and mode"), describe_action("delete", "removes it"),
           describe_action("nothing", "does nothing")},
          [](const resource_name& name, declared_members& members) {
            return std::make_shared<const file_provider>(name, members);
          }};
}

}  // namespace flock

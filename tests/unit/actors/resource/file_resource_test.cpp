#include "actors/resource/file_resource.hpp"

#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

using namespace flock;
using flock::testing::temporary_folder;

namespace {

namespace fs = std::filesystem;

struct fixture {
  temporary_folder folder;
  std::string path = folder.path() / "fubar";

  action_report perform(const char* action, value::map members, bool why_run = false) const {
    const value given = std::move(members);
    declared_members read(given);
    const auto file = file_resource().make({"file", path}, read);
    REQUIRE(read.finish().empty());
    return file->perform(action, {.why_run = why_run});
  }

  std::string content() const {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const { std::ofstream(path) << text; }
  unsigned mode() const { return static_cast<unsigned>(fs::status(path).permissions()); }
  auto entries() const { return std::distance(fs::directory_iterator(folder.path()), {}); }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a file is created with its content and mode, and then is up to date") {
  const auto first = perform("create", {{"content", "foobar"}, {"mode", "0600"}});
  const auto again = perform("create", {{"content", "foobar"}, {"mode", "0600"}});

  CHECK(first.how == outcome::updated);
  CHECK(first.output == "create " + path);
  CHECK(again.how == outcome::up_to_date);
  CHECK(content() == "foobar");
  CHECK(mode() == 0600);
}

TEST_CASE_FIXTURE(fixture, "a new file without content and mode is empty and readable by all") {
  CHECK(perform("create", {}).how == outcome::updated);

  CHECK(fs::file_size(path) == 0);
  CHECK(mode() == 0644);
}

TEST_CASE_FIXTURE(fixture, "another content takes the file's place, and its mode stays") {
  write("old");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  struct stat before {};
  REQUIRE(::stat(path.c_str(), &before) == 0);

  const auto report = perform("create", {{"content", "new"}});

  struct stat after {};
  REQUIRE(::stat(path.c_str(), &after) == 0);
  CHECK(report.output == "write " + path);
  CHECK(content() == "new");
  CHECK(mode() == 0640);
  CHECK(after.st_ino != before.st_ino);
  CHECK(entries() == 1);
}

TEST_CASE_FIXTURE(fixture, "contents are compared to the last byte") {
  for (const std::string old : {"", "ne", "new ", "neW"}) {
    write(old);
    CHECK(perform("create", {{"content", "new"}}).how == outcome::updated);
    CHECK(content() == "new");
  }
}

TEST_CASE_FIXTURE(fixture, "another mode is changed in place") {
  write("same");

  const auto report = perform("create", {{"content", "same"}, {"mode", "0600"}});

  CHECK(report.how == outcome::updated);
  CHECK(report.output == "change the mode of " + path + " to 0600");
  CHECK(mode() == 0600);
}

TEST_CASE_FIXTURE(fixture, "a file keeps its owner") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can give files away");
    return;
  }
  write("old");
  REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);

  CHECK(perform("create", {{"content", "new"}}).how == outcome::updated);

  struct stat after {};
  REQUIRE(::stat(path.c_str(), &after) == 0);
  CHECK(after.st_uid == 65534);
  CHECK(after.st_gid == 65534);
}

TEST_CASE_FIXTURE(fixture, "an existing file without declared content keeps its own") {
  write("mine");

  CHECK(perform("create", {}).how == outcome::up_to_date);
  CHECK(content() == "mine");
}

TEST_CASE_FIXTURE(fixture, "a file is deleted once") {
  write("old");

  CHECK(perform("delete", {}).how == outcome::updated);
  CHECK_FALSE(fs::exists(path));
  CHECK(perform("delete", {}).how == outcome::up_to_date);
}

TEST_CASE_FIXTURE(fixture, "why-run says what would be done and does nothing") {
  CHECK(perform("create", {}, true).output == "would create " + path);
  CHECK_FALSE(fs::exists(path));

  write("old");
  CHECK(perform("create", {{"content", "new"}}, true).output == "would write " + path);
  CHECK(perform("create", {{"mode", "0600"}}, true).output == "would change the mode of " + path + " to 0600");
  CHECK(perform("delete", {}, true).output == "would delete " + path);
  CHECK(content() == "old");
  CHECK(mode() != 0600);
}

TEST_CASE_FIXTURE(fixture, "what is no plain file is left alone, with an error that says what it is") {
  SUBCASE("a directory") {
    fs::create_directory(path);
    CHECK(perform("create", {}).why == error{error_code::io, path + " is a directory, not a plain file"});
    CHECK(perform("delete", {}).how == outcome::failed);
    CHECK(fs::is_directory(path));
  }
  SUBCASE("a symbolic link") {
    fs::create_symlink("/etc/passwd", path);
    CHECK(perform("create", {}).why == error{error_code::io, path + " is a symbolic link, not a plain file"});
    CHECK(perform("delete", {}).how == outcome::failed);
    CHECK(fs::is_symlink(path));
  }
}

TEST_CASE_FIXTURE(fixture, "a missing folder is an error that names it") {
  path = folder.path() / "no" / "fubar";

  CHECK(perform("create", {}).why->what ==
        "cannot make a file in " + (folder.path() / "no").string() + ": No such file or directory");
}

TEST_CASE("a file's path is absolute") {
  const value none = value::map();
  declared_members members(none);

  file_resource().make({"file", "tmp/fubar"}, members);

  CHECK(members.finish() == std::vector<declared_members::fault>{{"path", R"("tmp/fubar" is no absolute path)"}});
}

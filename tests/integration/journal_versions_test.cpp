// A journal that an older Flock wrote: a newer one opens it and finds everything that was in it.
//
// tests/integration/journals has one of each version, as the statements that make it. Each was written by the Flock of
// its time; a version that gets a successor stays there for good. When the schema gets one more step, or the records
// another form, this adds the journal of the Flock that is being built, in the folder where it is called:
//
//   flock_integration --no-skip --test-case="a journal of this version is written down"

#include "libflock/delivery/event_journal.hpp"
#include "libflock/sqlite/journal_schema.hpp"
#include "libflock/sqlite/sqlite_journal.hpp"
#include "libflock/words/subscriptions.hpp"
#include "tests/support/journal_folder.hpp"
#include "tests/support/storage_contract.hpp"
#include "tests/support/two_post_offices.hpp"
#include "tools/cluster/files.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;
using flock::internal::journal_schema;
using flock::internal::sqlite_database;
using flock::internal::sqlite_statement;

namespace {

std::string path_of(std::size_t version) {
  return FLOCK_SOURCE_DIR "/tests/integration/journals/version_" + std::to_string(version) + ".sql";
}

value how_it_ended(const char* outcome, int status, const char* output) {
  return value::map{{"outcome", outcome}, {"exit_status", status}, {"output", output}};
}

/// What a node knows of notifications, the newest first.
std::vector<notification_record> records_of(post_office& office) {
  std::vector<notification_record> all;
  for (const auto* r : office.mail().records().list({}, {})) all.push_back(*r);
  return all;
}

/// The events of a node, over a disk that has the rest of it, too.
class events_on {
 public:
  events_on(manual_runtime& threads, storage& disk)
      : home_(threads.make_mailbox("events")), scribe_(home_, disk, {}), journal_(disk, scribe_, {}) {
    REQUIRE(journal_.restore());
  }
  ~events_on() { home_->close(); }

  event_journal& journal() { return journal_; }
  /// Without their cursors, in which the id of the storage is.
  std::vector<std::string> all() const {
    std::vector<std::string> out;
    const auto page = journal_.log().since({});
    REQUIRE(page);
    for (const auto& e : page->events)
      out.push_back(std::to_string(e.number) + " " + format_time(e.at) + " " + e.type + " " + to_json(e.members));
    return out;
  }

 private:
  std::shared_ptr<mailbox> home_;
  scribe scribe_;
  event_journal journal_;
};

/// A node that has done a bit of everything, so that there is each kind of record on its disk.
class busy_node : public two_post_offices {
 public:
  busy_node() {
    start_both();
    send_and_end("done", how_it_ended("updated", 0, "toasted\n"));
    send_and_end("failed", failure());
    submit("begun");
    receiver->start();
    receive("performed");
    sender->start();
    sender->finish(how_it_ended("up_to_date", 0, ""));
    receive("taken");
    receiver->mail().acknowledge_all();
    settle();
    receiver.reset();
    submit(waiting());
    submit("withdrawn");
    CHECK(cancel(*sender, "withdrawn"));
    add_events();
    sender_disk.write({{"s/" + receiver_id.str(), encode(to_value(wishes()))}}, [](const result<void>&) {});
  }

  static std::vector<wish> wishes() {
    const auto fubar = *resource_name::parse("file[/tmp/fubar]");
    return {{"0123456789abcdef", fubar, *resource_name::parse("execute[toast]"), "run", timing::delayed},
            {"fedcba9876543210", fubar, *resource_name::parse("log[fubar]"), "write", timing::immediately}};
  }

 private:
  void send_and_end(const std::string& id, value how) {
    submit(id);
    receiver->start();
    time.advance(5ms);
    receiver->finish(std::move(how));
  }
  void receive(const std::string& id) {
    auto n = make_notification(id);
    std::swap(n.sender, n.target);
    receiver->submit(n);
    settle();
  }
  void add_events() {
    events_on events(threads, sender_disk);
    events.journal().add("joined", time.wall(), {{"peer", "bender1"}, {"incarnation", "1"}});
    settle();
    events.journal().add("queued", time.wall(), {{"id", "waits"}, {"target", "bender1"}});
    settle();
  }

  static value failure() {
    auto how = how_it_ended("failed", 3, "no bread\n");
    how.as_map()->emplace("error", value::map{{"code", "io"}, {"message", "exit status 3"}});
    return how;
  }
  static notification waiting() {
    auto n = make_notification("waits");
    n.arguments = {1, "two", value::list{3.5, true, value()}};
    n.causes = {{node("bender9"), "file[/tmp/fubar]", "create"}};
    n.retry_of = "failed";
    return n;
  }
};

void check_all_is_there(storage& journal) {
  manual_storage disk(journal.id());
  REQUIRE(journal.read("", [&](std::string_view key, std::string_view data) {
    disk.write({{std::string(key), std::string(data)}}, [](const result<void>&) {});
  }));
  busy_node before;
  two_post_offices now;
  now.time.advance(before.time.now() - now.time.now());

  now.sender = now.opened(sender_id, disk);
  CHECK(records_of(*now.sender) == records_of(*before.sender));
  CHECK(events_on(now.threads, disk).all() == events_on(before.threads, before.sender_disk).all());
  CHECK(disk.keys("s/") == std::vector<std::string>{"s/bender1"});
  CHECK(disk.read("s/",
                  [](auto, auto data) { CHECK(from_value<std::vector<wish>>(*decode(data)) == busy_node::wishes()); }));

  now.settle();
  REQUIRE(now.sender->jobs.size() == 1);
  CHECK(now.sender->jobs.front().what.id == "taken");
  CHECK(now.sender->mail().outbox_depth(receiver_id) == before.sender->mail().outbox_depth(receiver_id));
}

/// The rows that a query answers with, of one column: statements.
std::string statements(sqlite_database& db, const char* query) {
  sqlite_statement s;
  REQUIRE_FALSE(db.prepare(query, s));
  std::string all;
  while (s.step() == sqlite_statement::result_of_step::row) all.append(s.text(0)).append(";\n");
  return all;
}

}  // namespace

TEST_CASE("a journal of each version is opened, and everything is in it") {
  for (std::size_t version = 1; version <= journal_schema().size(); ++version) {
    CAPTURE(version);
    const auto made_by = contents(path_of(version));
    REQUIRE_FALSE(made_by.empty());
    journal_folder folder;
    std::filesystem::create_directory(folder.path());
    folder.run_sql(made_by);
    REQUIRE(folder.ask_sql("pragma user_version") == std::to_string(version));
    const auto id = folder.ask_sql("select value from about where name = 'id'");

    auto journal = folder.open();

    CHECK(journal->id() == id);
    CHECK(journal->damaged().empty());
    CHECK(journal->stats().set_aside == 1);
    CHECK(folder.log().empty());
    check_all_is_there(*journal);
    journal.reset();
    CHECK(folder.ask_sql("pragma user_version") == std::to_string(journal_schema().size()));
  }
}

TEST_CASE("a journal of this version is written down" * doctest::skip()) {
  busy_node of;
  journal_folder folder;
  auto journal = folder.open();
  REQUIRE(of.sender_disk.read("", [&](std::string_view key, std::string_view data) {
    write(*journal, {{std::string(key), std::string(data)}});
  }));
  journal.reset();
  folder.run_sql("insert into set_aside values (1, 'n/gone', X'00', 7, '2026-01-31T00:00:00.000Z', 1)");
  sqlite_database db;
  REQUIRE_FALSE(db.open(folder.file(), ""));
  const auto version = std::to_string(journal_schema().size());

  std::ofstream("version_" + version + ".sql")
      << "pragma application_id = 1181511531;\npragma user_version = " << version << ";\n"
      << statements(db, "select sql from sqlite_schema where sql is not null")
      << statements(db, "select 'insert into about values (' || quote(name) || ', ' || quote(value) || ')' from about")
      << statements(db,
                    "select 'insert into records values (' || quote(key) || ', ' || quote(data) || ', ' || checksum ||"
                    " ')' from records order by key")
      << statements(db,
                    "select 'insert into set_aside values (' || number || ', ' || quote(key) || ', ' || quote(data) ||"
                    " ', ' || checksum || ', ' || quote(at) || ', ' || told || ')' from set_aside");
}

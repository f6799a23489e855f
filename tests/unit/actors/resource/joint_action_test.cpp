#include "actors/resource/joint_action.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace {

using namespace flock;

struct asking {
  bool wants = true;
  int asked = 0;
  std::optional<result<value>> answer;

  joint_action::waiter as(std::string notification) {
    action_context why;
    why.notification = std::move(notification);
    return {std::move(why), [this] { return ++asked, wants; }, [this](result<value> r) { answer = std::move(r); }};
  }
};

value how_it_went() { return value::map{{"outcome", "updated"}}; }

}  // namespace

TEST_CASE("all who asked are answered, and those who joined learn with whom") {
  asking first, second;
  joint_action run("run", first.as("a"));
  run.join(second.as("b"));

  CHECK(run.begin());
  run.tell(how_it_went());

  CHECK((**first.answer)["performed_with"].is_null());
  CHECK((**second.answer)["performed_with"] == value("a"));
  CHECK((**second.answer)["outcome"] == value("updated"));
}

TEST_CASE("who was first without a notification is another request") {
  asking first, second;
  joint_action run("run", first.as(""));
  run.join(second.as("b"));

  run.tell(how_it_went());

  CHECK((**second.answer)["performed_with"] == value("another request"));
}

TEST_CASE("who does not want it any more when it begins is not answered, and the next one is the first") {
  asking late, other;
  late.wants = false;
  joint_action run("run", late.as("a"));
  run.join(other.as("b"));

  CHECK(run.begin());
  run.tell(how_it_went());

  CHECK(run.first_reason().notification == "b");
  CHECK_FALSE(late.answer);
  CHECK((**other.answer)["performed_with"].is_null());
}

TEST_CASE("all are asked whenever it begins: once more, too") {
  asking first;
  joint_action run("run", first.as("a"));

  CHECK(run.begin());
  CHECK(run.begin());

  CHECK(first.asked == 2);
}

TEST_CASE("an action that nobody wants any more does not begin") {
  asking late;
  late.wants = false;
  joint_action run("run", late.as("a"));

  CHECK_FALSE(run.begin());
}

TEST_CASE("errors and answers that are no map are told as they are") {
  asking first, second;
  joint_action run("run", first.as("a"));
  run.join(second.as("b"));

  run.tell(error{error_code::down, "gone"});

  CHECK(second.answer->error().code == error_code::down);
}

#include "tools/sim/chef_process.hpp"

#include "tools/sim/resources.hpp"

#include <utility>

namespace flock::simulator {

using namespace std::chrono_literals;

namespace {

// As the cookbook's library has it.
constexpr milliseconds look_again = 2s;

}  // namespace

chef_script chef_script::some(world& in) {
  chef_script s;
  s.steps = in.random.below(in.what.most_chef_steps + 1);
  s.only_says = !in.what.faults.empty() && in.random.chance(0.1);
  s.longest_step = in.random.pick<milliseconds>({5ms, 200ms, 200ms, 3s});
  if (in.what.faults.empty()) s.longest_step = 200ms;
  if (!in.what.has(fault::bad_recipes) || in.random.chance(0.5)) return s;
  s.begins = in.random.chance(0.8);
  s.compiles = in.random.chance(0.6);
  s.succeeds = in.random.chance(0.4);
  return s;
}

chef_process::chef_process(surroundings around, int number, chef_script what)
    : around_(std::move(around)), number_(number), what_(what), box_(around_.in.threads.make_mailbox("Chef")) {
  around_.in.say(around_.node, itself().process, " starts");
  later(what_.longest_step, [this] {
    if (!what_.begins) return exit(1);
    look_for_flockd();
    later(what_.longest_step, [this] { compile(); });
  });
}

const std::vector<resource_name>& chef_process::resources() {
  static const std::vector<resource_name> all{of_chef("a"), of_chef("b"), of_chef("own")};
  return all;
}

performer chef_process::itself() const { return {around_.node, "Chef run " + std::to_string(number_)}; }

void chef_process::later(milliseconds most, std::function<void()> f) {
  box_->post_at(around_.in.time.now() + around_.in.random.between(0ms, most), std::move(f));
}

// The connection.

void chef_process::look_for_flockd() {
  if (connects_) return;
  auto* l = around_.flockd();
  if (!l || !l->control()) return box_->post_at(around_.in.time.now() + look_again, [this] { look_for_flockd(); });
  connects_ = true;
  ++*connection_;
  // The run is over when nobody holds its stream any more: it must not wait in a mailbox.
  l->control()->post("/v1/runs", value::map{{"pid", number_}, {"why_run", what_.only_says}},
                     [this, mine = *connection_, now = connection_,
                      heard = here([this](const auto& r) { begun(r); })](control_socket::reply how) {
                       if (mine != *now) return;
                       stream_ = std::exchange(how.events, nullptr);
                       heard(how);
                     });
}

void chef_process::begun(const control_socket::reply& how) {
  if (!how.is_good()) {
    around_.in.say(around_.node, itself().process, " is not admitted: ", how.error());
    return hang_up();
  }
  run_ = *how.body["run"].as_text();
  around_.in.say(around_.node, itself().process, " is run ", run_);
  stream_->on_ready(here([this] { listen(); }));
  if (compiled_) declare();
}

void chef_process::listen() {
  for (const auto& n : control_socket::messages(*stream_))
    given_.push_back({*n["notification"].as_int(), *n["id"].as_text(), *resource_name::parse(*n["resource"].as_text()),
                      *n["action"].as_text()});
}

void chef_process::hang_up() {
  ++*connection_;
  connects_ = false;
  stream_.reset();
  run_.clear();
  declared_ = false;
  given_.clear();
  if (!is_over()) box_->post_at(around_.in.time.now() + look_again, [this] { look_for_flockd(); });
}

void chef_process::tell(const std::string& word, const value& body, told then) {
  auto* l = around_.flockd();
  if (!run_.empty() && l && l->control()) l->control()->post("/v1/runs/" + run_ + "/" + word, body, std::move(then));
}

// The run.

void chef_process::compile() {
  if (!what_.compiles) {
    tell("end", value::map{{"success", false}, {"error", "it does not compile"}}, [](const auto&) {});
    return exit(1);
  }
  compiled_ = true;
  if (!run_.empty()) declare();
  later(what_.longest_step, [this] { step(); });
}

void chef_process::declare() {
  value::list all;
  for (const auto& r : resources()) {
    value::list actions;
    for (const auto& a : simulated_type().actions) actions.emplace_back(a.name);
    all.emplace_back(value::map{{"resource", r.str()}, {"actions", std::move(actions)}});
  }
  value::list subscribes;
  for (const auto& s : around_.subscribes) subscribes.push_back(s.to_value());
  tell("resources", value::map{{"resources", std::move(all)}, {"subscribes", std::move(subscribes)}},
       here([this](const control_socket::reply& how) {
         if (!how.is_good() || what_.only_says) return;
         declared_ = true;
         around_.in.past.chef_declares(around_.node, how.body["durable"] == value(true));
       }));
}

/// What it was given comes between two of its own resources.
void chef_process::step() {
  if (!given_.empty()) {
    const auto next = std::move(given_.front());
    given_.pop_front();
    return perform(next);
  }
  if (steps_++ >= what_.steps) return end();
  act();
  later(what_.longest_step, [this] { step(); });
}

void chef_process::perform(const given& what) {
  if (performed_.contains(what.id)) {
    report(what);
  } else {
    around_.in.say(around_.node, what.resource.str(), " begins for ", what.id, " in ", itself().process);
    around_.in.past.begins(itself(), what.resource.str(), what.id, {});
    around_.acts();
    if (is_over()) return;
    return later(what_.longest_step, [this, what] { completed(what); });
  }
  later(0ms, [this] { step(); });
}

void chef_process::completed(const given& what) {
  around_.in.past.completes(itself(), what.id);
  performed_[what.id] = what.action == "run" ? "updated" : what.action == "fail" ? "failed" : "up_to_date";
  report(what);
  later(what_.longest_step, [this] { step(); });
}

void chef_process::report(const given& what) {
  tell("performed",
       value::map{{"notification", what.number}, {"outcome", performed_[what.id]}, {"error", "as it was meant to"}},
       [](const auto&) {});
}

/// One of its own resources is updated, and wants others to know.
void chef_process::act() {
  auto& in = around_.in;
  auto* l = around_.flockd();
  if (!declared_ || !l || !l->control()) return;
  if (in.random.chance(0.5)) {
    const auto own = of_chef("own");
    return tell("updated", value::map{{"resources", value::list{own.str()}}, {"action", "run"}, {"outcome", "updated"}},
                [l, own, run = run_, wished = l->wished_after(own)](const control_socket::reply& how) {
                  if (how.is_good() && !l->has_crashed()) l->owes_subscribers(own, run, wished);
                });
  }
  const auto wish = "wish " + std::to_string(++wishes_) + " of " + itself().process;
  const wanted_action w{.resource = simulated("now"),
                        .action = wish,
                        .where = only(*node_id::parse("n" + std::to_string(in.random.below(in.what.nodes)))),
                        .when = timing::delayed};
  l->control()->post("/v1/notify?run=" + run_, w.to_value(), [l, w, wish](const control_socket::reply& taken) {
    if (taken.is_good() && !l->has_crashed()) l->owes(w, wish);
  });
}

void chef_process::end() {
  if (run_.empty()) return exit(what_.succeeds ? 0 : 1);
  tell("end", value::map{{"success", what_.succeeds}, {"error", what_.succeeds ? "" : "as it was meant to"}},
       [](const auto&) {});
  exit(what_.succeeds ? 0 : 1);
}

void chef_process::exit(int status) {
  if (is_over()) return;
  exit_status_ = status;
  around_.in.say(around_.node, itself().process, " ends with ", status);
  box_->close();
  hang_up();
}

void chef_process::kill() {
  if (is_over()) return;
  around_.in.say(around_.node, itself().process, " is killed");
  exit(137);
}

}  // namespace flock::simulator

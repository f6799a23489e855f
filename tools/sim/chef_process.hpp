#pragma once

#include "tools/sim/life.hpp"
#include "tools/sim/world.hpp"
#include <flock/clock.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace flock::simulator {

/// What a Chef run is going to do.
struct chef_script {
  bool begins = true;  ///< false: the command fails before there is a run
  bool compiles = true;
  bool succeeds = true;
  bool only_says = false;  ///< what it would do: a why-run
  std::size_t steps = 2;   ///< resources of its own that it goes through
  milliseconds longest_step{200};

  /// By the faults that there are.
  static chef_script some(world& in);
};

/// A Chef run on a machine, as the cookbook's library makes it: a process of its own, which outlives flockd, looks for
/// it every 2 s, and may be killed. It holds Chef's lock as long as it lives.
class chef_process {
 public:
  struct surroundings {
    world& in;
    std::string node;
    std::function<life*()> flockd;  ///< null while there is none
    std::vector<subscription> subscribes;
    std::function<void()> acts;  ///< an action has begun: this process may be killed now
  };

  chef_process(surroundings around, int number, chef_script what);
  ~chef_process() { kill(); }

  /// flockd has closed its socket.
  void hang_up();
  /// Nothing of it happens any more; flockd sees that the connection ended.
  void kill();
  bool is_over() const { return exit_status_.has_value(); }
  int exit_status() const { return *exit_status_; }

  /// The resources that any run declares.
  static const std::vector<resource_name>& resources();

 private:
  struct given {
    std::int64_t number;
    std::string id;
    resource_name resource;
    std::string action;
  };
  using told = std::function<void(const control_socket::reply&)>;

  void later(milliseconds most, std::function<void()> f);
  void look_for_flockd();
  void begun(const control_socket::reply& how);
  void listen();
  /// Wraps what is told by flockd, in a turn of its: f is called here, if the connection is the same.
  template <class F> auto here(F f) {
    return [this, f, mine = *connection_, now = connection_, box = box_](const auto&... what) {
      if (mine != *now) return;
      box->post([this, f, mine, what...] {
        if (mine == *connection_) f(what...);
      });
    };
  }
  void compile();
  void declare();
  void step();
  void perform(const given& what);
  void completed(const given& what);
  void report(const given& what);
  void act();
  void end();
  void exit(int status);
  /// What the run under way says. \param then  in the turn of flockd, if that is there to answer
  void tell(const std::string& word, const value& body, told then);
  performer itself() const;

  surroundings around_;
  int number_;
  chef_script what_;
  std::shared_ptr<mailbox> box_;
  std::optional<int> exit_status_;

  // The connection.
  bool connects_ = false;
  std::shared_ptr<event_stream> stream_;
  std::string run_;  // its id; empty without one
  /// Counts the connections; whoever answers an earlier one is not heard, nor is anybody once this process is gone.
  std::shared_ptr<std::uint64_t> connection_ = std::make_shared<std::uint64_t>(0);
  bool declared_ = false;    // on this connection
  std::deque<given> given_;  // and not performed yet

  bool compiled_ = false;
  std::size_t steps_ = 0;
  int wishes_ = 0;
  std::map<std::string, std::string> performed_;  // by notification: the outcome
};

}  // namespace flock::simulator

#pragma once

#include "node/control/control_api.hpp"
#include "node/daemon.hpp"
#include <flock/clock.hpp>
#include <flock/value.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flock::simulator {

/// What a flockd answers on its control socket, without HTTP's bytes. It goes before the daemon does.
class control_socket {
 public:
  struct reply {
    int status = 0;
    value body;  ///< of an event stream, the first message
    std::shared_ptr<event_stream> events;

    bool is_good() const { return status == 200; }
    std::string error() const;
  };
  using told = std::function<void(const reply&)>;

  control_socket(const clock& time, daemon& of);

  /// \param then  called once, in a turn of the daemon's process
  void post(std::string path, const value& body, told then) const;

  /// What has come on a stream since the last time.
  static std::vector<value> messages(event_stream& from);

 private:
  control_api api_;
};

}  // namespace flock::simulator

#pragma once

#include "node/control/control_operation.hpp"
#include "node/control/event_stream.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// What of an HTTP request matters here.
struct control_request {
  std::string method;
  std::string target;         ///< path and query as they came, percent-encoded
  std::string last_event_id;  ///< the header; empty if there is none
  std::string body;
};

struct control_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;                     ///< the header that goes with 405
  std::shared_ptr<event_stream> events;  ///< if set, they follow the body until the connection ends
};

struct control_limits {
  static constexpr std::size_t body = 1 << 20;
  static constexpr milliseconds default_timeout{5'000};
  static constexpr milliseconds longest_timeout{3'600'000};
};

struct control_exchange;

/// A route that asks something of a part of the daemon.
template <class Needs> struct control_route {
  control_operation is;
  /// Answers through the exchange, once. \returns an error in its place if the request is wrong; then nothing was asked
  result<void> (*answer)(control_exchange&, Needs&);
};

/// The routes of one topic, all of which ask the same part.
template <class Needs> using control_topic = std::vector<control_route<Needs>>;

/// The routes of a flockd, and how a request finds its own. Safe for threads once all are added.
class control_api {
 public:
  explicit control_api(const clock& now) : now_(now) {}

  using answering = std::function<result<void>(control_exchange&)>;
  /// \param is  outlives this
  void add(const control_operation& is, answering answer) { routes_.push_back({&is, std::move(answer)}); }
  /// \param topic, needs  outlive this
  template <class Needs> void add(const control_topic<Needs>& topic, Needs& needs) {
    for (const auto& r : topic)
      add(r.is, [&needs, answer = r.answer](control_exchange& x) { return answer(x, needs); });
  }

  std::vector<const control_operation*> operations() const;

  /// Answers one request.
  /// \param done  called once, on any thread, maybe before handle() returns
  using answered = std::function<void(control_response)>;
  void handle(const control_request& request, const answered& done) const;

 private:
  struct route {
    const control_operation* is;
    answering answer;
  };

  result<void> try_handle(const control_request& request, const std::string& path, const answered& done) const;

  const clock& now_;
  std::vector<route> routes_;
};

/// {"error":{"code","message","target"}}
control_response control_failure(int status, const error& why, std::string_view target);
/// With the status that goes with the error.
control_response control_failure(const error& why, std::string_view target);

/// The status that goes with an error.
int http_status(error_code code);

}  // namespace flock

#include "tests/chaos/workload.hpp"

#include "tools/client/control_client.hpp"
#include <flock/value.hpp>

#include <fstream>

namespace flock::chaos {

namespace {

constexpr auto quick = "quick", slow = "slow";

std::string resource_of(const std::string& kind) { return "execute[" + kind + "]"; }

std::string file_of(const std::string& folder, const std::string& node, const std::string& kind) {
  return folder + "/" + node + "." + kind;
}

value command_of(std::string line) { return value::map{{"command", std::move(line)}, {"action", "nothing"}}; }

}  // namespace

std::string workload::resources(const std::string& folder, const std::string& node) {
  // A short line that is appended with one write is whole, whoever else writes.
  const auto note = [&](const char* kind) { return "echo \"$FLOCK_NOTIFICATION\" >> " + file_of(folder, node, kind); };
  return to_json(value::map{{resource_of(quick), command_of(note(quick))},
                            {resource_of(slow), command_of("sleep 0.02; " + note(slow) + "; sleep 0.02")}});
}

struct workload::sender {
  std::string id;
  control_client client;
  choices chance;

  result<value> status() const {
    const auto reply = client.get("/v1/status", system_clock().now() + milliseconds(2000));
    if (!reply) return reply.error();
    return from_json(reply->body);
  }
  /// Notifications that this node sent or received and that have not ended; 0 if it does not answer.
  std::int64_t open() const {
    const auto now = status();
    const auto* count = now ? (*now)["queues"]["notifications_open"].as_int() : nullptr;
    return count ? *count : 0;
  }
};

workload::workload(options o, choices& chance) : options_(std::move(o)) {
  for (const auto& id : options_.nodes) {
    auto s = std::make_shared<sender>(sender{id, control_client(options_.sockets.at(id)), choices(chance.another())});
    threads_.emplace_back([this, s] {
      for (int i = 0; !stopping_; ++i) {
        // Not every time, as it costs as much as a notification.
        if (i % 10 != 0 || s->open() < options_.most_open) send(*s);
        std::this_thread::sleep_for(options_.pace);
      }
    });
  }
}

workload::~workload() { stop(); }

void workload::stop() {
  stopping_ = true;
  for (auto& t : threads_)
    if (t.joinable()) t.join();
}

void workload::send(sender& s) {
  const auto resource = resource_of(s.chance.one_in(10) ? slow : quick);
  value::list targets;
  for (const auto& id : options_.nodes)
    if (s.chance.one_in(2)) targets.emplace_back(id);
  if (targets.empty()) targets.emplace_back(s.chance.one_of(options_.nodes));
  const value wanted = value::map{{"resource", resource}, {"action", "run"}, {"node", std::move(targets)}};
  // Answered when all receivers have it, or else soon, if the sender's own journal has it by then.
  const auto reply =
      s.client.post("/v1/notify?timeout=50ms", to_json(wanted), system_clock().now() + milliseconds(10'000));
  if (reply)
    keep(s.id, resource, reply->body);
  else
    refuse(s.id + ": " + to_string(reply.error()));
}

void workload::keep(const std::string& from, const std::string& resource, const std::string& reply) {
  const auto read = from_json(reply);
  const auto* targets = read ? (*read)["notifications"].as_list() : nullptr;
  if (!targets) return refuse(from + ": " + reply);
  for (const auto& t : *targets) {
    const auto* id = t["id"].as_text();
    const auto* target = t["node"].as_text();
    // With an error it is not durable yet.
    if (!id || !target || t["error"]["code"] == value("maybe_done")) {
      refuse(from + ": " + to_json(t));
      continue;
    }
    const std::lock_guard lock(mutex_);
    accepted_.push_back({*id, from, *target, resource});
    ++accepted_count_;
  }
}

void workload::refuse(const std::string& why) {
  const std::lock_guard lock(mutex_);
  last_refusal_ = why;
  ++refused_count_;
}

std::string workload::last_refusal() const {
  const std::lock_guard lock(mutex_);
  return last_refusal_;
}

history workload::take() const {
  history h;
  {
    const std::lock_guard lock(mutex_);
    h.accepted = accepted_;
  }
  for (const auto& node : options_.nodes) {
    for (const char* kind : {quick, slow}) {
      auto& ids = h.written[{node, resource_of(kind)}];
      std::ifstream in(file_of(options_.folder, node, kind));
      for (std::string id; in >> id;)
        ids.push_back(std::move(id));  // several that were performed together are one line
    }
  }
  return h;
}

}  // namespace flock::chaos

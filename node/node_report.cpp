#include "node/node_report.hpp"

#include <chrono>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

namespace flock {
namespace {

std::map<receipt_state, std::size_t> notifications_by_state(const node_core& core) {
  std::map<receipt_state, std::size_t> counts;
  for (auto s = 1; s <= static_cast<int>(last_receipt_state); ++s) counts[static_cast<receipt_state>(s)] = 0;
  for (const auto* r : core.deliveries().records().list({}, {})) ++counts[r->state()];
  return counts;
}

std::map<node_state, std::size_t> nodes_by_state(const node_core& core) {
  std::map<node_state, std::size_t> counts;
  for (auto s = 1; s <= static_cast<int>(last_node_state); ++s) counts[static_cast<node_state>(s)] = 0;
  for (const auto* n : core.known_nodes().all()) ++counts[n->state];
  return counts;
}

value queues_of(const node_core& core) {
  const auto& deliveries = core.deliveries();
  value::list receivers;
  for (const auto& id : deliveries.receivers())
    receivers.emplace_back(value::map{
        {"node", id.str()}, {"waiting", deliveries.outbox_depth(id)}, {"connected", core.peers().contains(id)}});
  value::map by_state;
  for (const auto& [state, count] : notifications_by_state(core)) by_state.emplace(to_string(state), count);
  const auto oldest = deliveries.oldest_waiting();
  return value::map{{"outbox", deliveries.outbox_depth()},
                    {"receivers", std::move(receivers)},
                    {"notifications_open", deliveries.records().open()},
                    {"notifications", std::move(by_state)},
                    {"oldest", oldest ? value(format_time(*oldest)) : value()}};
}

value journal_of(const node_core& core) {
  const auto stats = core.journal().stats();
  const auto trouble = core.journal().trouble();
  return value::map{{"path", stats.path},
                    {"bytes", static_cast<std::int64_t>(stats.bytes)},
                    {"commits", static_cast<std::int64_t>(stats.commits)},
                    {"waiting", stats.waiting},
                    {"set_aside", stats.set_aside},
                    {"trouble", trouble ? value(trouble->what) : value()},
                    {"last_error", stats.last_error}};
}

/// Metrics as Prometheus reads them, each below its help and its type.
class exposition {
 public:
  template <class Number> void gauge(std::string_view name, std::string_view help, Number n) {
    head(name, help, "gauge") << "flock_" << name << ' ' << n << '\n';
  }
  template <class Number> void counter(std::string_view name, std::string_view help, Number n) {
    head(name, help, "counter") << "flock_" << name << ' ' << n << '\n';
  }
  template <class State>
  void gauges(std::string_view name, std::string_view help, const std::map<State, std::size_t>& by_state) {
    head(name, help, "gauge");
    for (const auto& [state, n] : by_state)
      out_ << "flock_" << name << "{state=\"" << to_string(state) << "\"} " << n << '\n';
  }
  std::string text() const { return out_.str(); }

 private:
  std::ostream& head(std::string_view name, std::string_view help, std::string_view type) {
    return out_ << "# HELP flock_" << name << ' ' << help << "\n# TYPE flock_" << name << ' ' << type << '\n';
  }

  std::ostringstream out_;
};

}  // namespace

value::map status_of(const node_core& core, const config& with) {
  value::list peers;
  for (const auto& [id, peer] : core.peers()) {
    const auto* known = core.known_nodes().find(id);
    peers.emplace_back(value::map{{"node", id.str()},
                                  {"address", peer.address},
                                  {"version", peer.version},
                                  {"state", std::string(to_string(known ? known->state : node_state::alive))},
                                  {"queued_bytes", core.queued(id)},
                                  {"outbox", core.deliveries().outbox_depth(id)}});
  }
  value::list troubles;
  for (const auto& t : core.troubles().lines())
    troubles.emplace_back(value::map{{"at", format_time(t.at)}, {"level", t.level}, {"text", t.text}});
  const auto registry = core.registry_statistics();
  const auto taken = core.id_taken_by();
  return value::map{{"id", core.id().str()},
                    {"incarnation", core.life().str()},
                    {"version", core.version()},
                    {"address", core.address()},
                    {"started", format_time(core.started())},
                    {"environment", core.about().environment},
                    {"tls", with.tls()},
                    {"registry", value::map{{"url", with.registry.str()},
                                            {"state", std::string(to_string(core.registry_state()))},
                                            {"registered", core.is_joined()},
                                            {"id_taken_by", taken ? value(taken->address) : value()},
                                            {"server", registry.server},
                                            {"session", static_cast<std::int64_t>(registry.session)},
                                            {"operations", static_cast<std::int64_t>(registry.operations)},
                                            {"last_error", registry.last_error}}},
                    {"journal", journal_of(core)},
                    {"peers", std::move(peers)},
                    {"queues", queues_of(core)},
                    {"troubles", std::move(troubles)}};
}

std::string metrics_of(const node_core& core, std::size_t resources) {
  const auto& deliveries = core.deliveries();
  const auto oldest = deliveries.oldest_waiting();
  const auto journal = core.journal().stats();
  const auto registry = core.registry_statistics();
  exposition out;
  out.gauges("nodes", "Nodes known, by state.", nodes_by_state(core));
  out.gauge("peers", "Nodes connected.", core.peers().size());
  out.gauge("registered", "Whether this node stands in the registry.", core.is_joined() ? 1 : 0);
  out.gauge("outbox_parcels", "Parcels not acknowledged by their receivers.", deliveries.outbox_depth());
  out.gauge("notifications_open", "Notifications without a terminal receipt.", deliveries.records().open());
  out.gauges("notifications", "Notifications that are kept, by state.", notifications_by_state(core));
  out.gauge("resources", "Declared resources.", resources);
  out.gauge("oldest_waiting_seconds", "Age of the oldest notification that is not acknowledged.",
            oldest ? std::chrono::duration<double>(core.wall() - *oldest).count() : 0.0);
  out.gauge("journal_bytes", "Size of the journal on the disk.", journal.bytes);
  out.gauge("journal_waiting", "Writes that are not durable yet.", journal.waiting);
  out.gauge("journal_set_aside", "Damaged records that are kept for people to look at.", journal.set_aside);
  out.gauge("journal_trouble", "Whether the disk is full or broken.", core.journal().trouble() ? 1 : 0);
  out.counter("journal_commits_total", "Commits of the journal.", journal.commits);
  out.counter("registry_operations_total", "Requests to the registry.", registry.operations);
  out.counter("registry_watches_fired_total", "Watches of the registry that fired.", registry.watches_fired);
  return out.text();
}

}  // namespace flock

#include "tools/flockctl/views.hpp"

#include "libflock/words/notification.hpp"
#include "tools/flockctl/console.hpp"
#include <flock/clock.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace flock::ctl {
namespace {

/// Details in order; what is empty is left out.
class description {
 public:
  void add(std::string label, std::string text) {
    if (!text.empty()) details_.push_back({std::move(label), std::move(text)});
  }
  std::vector<detail> take() && { return std::move(details_); }

 private:
  std::vector<detail> details_;
};

// "+3 ms", "+12.4 s", "+3 min 5 s", "-2 ms": another machine's clock may be behind.
std::string after(milliseconds d) {
  const auto sign = d.count() < 0 ? "-" : "+";
  const auto ms = std::llabs(d.count());
  if (ms < 10'000) return sign + std::to_string(ms) + " ms";
  if (ms < 120'000) return sign + std::to_string(ms / 1000) + "." + std::to_string(ms / 100 % 10) + " s";
  const auto minutes = ms / 60'000;
  if (minutes < 120) return sign + std::to_string(minutes) + " min " + std::to_string(ms / 1000 % 60) + " s";
  return sign + std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

std::string text_of(const value& v) { return cell(v); }

void add_times(description& d, const value& times) {
  std::optional<wall_time> first;
  for (int s = 1; s <= static_cast<int>(last_receipt_state); ++s) {
    const std::string state(to_string(static_cast<receipt_state>(s)));
    const auto* text = times[state].as_text();
    const auto at = text ? parse_time(*text) : result<wall_time>(error{});
    if (!at) continue;
    d.add(state, first ? *text + "  " + after(*at - *first) : *text);
    if (!first) first = *at;
  }
}

// One line for each, the oldest first.
std::string causes_of(const value& notification) {
  std::string text;
  const auto* causes = notification["causes"].as_list();
  for (const auto& c : causes ? *causes : value::list())
    text += text_of(c["node"]) + "/" + text_of(c["resource"]) + " " + text_of(c["action"]) + "\n";
  return text;
}

std::string attempts_of(const value& notification) {
  const auto* attempts = notification["attempts"].as_int();
  if (!attempts || *attempts == 0) return {};
  const bool again = notification["redelivered"] == value(true);
  return std::to_string(*attempts) + (again ? ", and maybe once before a crash" : "");
}

bool has_ended(const value& notification) {
  const auto* name = notification["state"].as_text();
  const auto state = name ? receipt_state_from(*name) : std::nullopt;
  return state && is_terminal(*state);
}

std::string counted(const value& by_state) {
  std::string text;
  for (int s = 1; s <= static_cast<int>(last_receipt_state); ++s) {
    const std::string state(to_string(static_cast<receipt_state>(s)));
    const auto* count = by_state[state].as_int();
    if (count && *count > 0)
      text.append(text.empty() ? "" : ", ").append(std::to_string(*count)).append(" ").append(state);
  }
  return text.empty() ? "none" : text;
}

std::string registry_of(const value& registry) {
  std::string text = text_of(registry["state"]);
  text += registry["registered"] == value(true) ? ", this node is registered" : ", this node is not registered";
  if (const auto by = text_of(registry["id_taken_by"]); !by.empty()) text += "; its id is taken by a node at " + by;
  text += "\n" + text_of(registry["url"]);
  if (const auto server = text_of(registry["server"]); !server.empty()) text += ", through " + server;
  if (const auto why = text_of(registry["last_error"]); !why.empty()) text += "\nlast error: " + why;
  return text;
}

// "/var/lib/flock/journal.db, 4096 bytes", and what is wrong with it.
std::string journal_of(const value& journal) {
  if (!journal.as_map()) return {};
  std::string text = text_of(journal["path"]);
  if (const auto bytes = text_of(journal["bytes"]); !bytes.empty())
    text.append(text.empty() ? "" : ", ").append(bytes).append(" bytes");
  const auto more = [&](const value& count, const char* what) {
    if (const auto* n = count.as_int(); n && *n > 0) text.append("\n").append(std::to_string(*n)).append(what);
  };
  more(journal["waiting"], " writes are not durable yet");
  more(journal["set_aside"], " damaged records are set aside");
  if (const auto why = text_of(journal["trouble"]); !why.empty())
    text += "\nit takes no writes: " + why;
  else if (const auto last = text_of(journal["last_error"]); !last.empty())
    text += "\nlast error: " + last;
  return text;
}

template <class Row> std::string rows_of(const value& list, Row row) {
  std::vector<std::vector<std::string>> rows;
  const auto* elements = list.as_list();
  for (const auto& e : elements ? *elements : value::list()) rows.push_back(row(e));
  return aligned(rows);
}

// How much, since when, and for whom.
std::string undelivered_in(const value& queues) {
  const auto* count = queues["outbox"].as_int();
  if (!count || *count == 0) return "nothing";
  std::string text = std::to_string(*count);
  if (const auto oldest = text_of(queues["oldest"]); !oldest.empty()) text += ", the oldest since " + oldest;
  return text + "\n" + rows_of(queues["receivers"], [](const value& r) -> std::vector<std::string> {
           return {text_of(r["node"]), text_of(r["waiting"]), r["connected"] == value(true) ? "" : "not connected"};
         });
}

std::string peers_of(const value& status) {
  return rows_of(status["peers"], [](const value& p) -> std::vector<std::string> {
    const auto* bytes = p["queued_bytes"].as_int();
    const auto queued = bytes && *bytes > 0 ? std::to_string(*bytes) + " bytes to be sent" : std::string();
    return {text_of(p["node"]), text_of(p["state"]), text_of(p["address"]), text_of(p["version"]), queued};
  });
}

std::string troubles_of(const value& status) {
  return rows_of(status["troubles"], [](const value& t) -> std::vector<std::string> {
    return {text_of(t["at"]), text_of(t["level"]), text_of(t["text"])};
  });
}

// Nothing if Chef was never here.
std::string chef_of(const value& chef) {
  const auto* resources = chef["resources"].as_int();
  const auto* waiting = chef["waiting"].as_int();
  const auto& last = chef["last"];
  if (!resources || !waiting || (*resources == 0 && *waiting == 0 && chef["run"].is_null() && last.is_null()))
    return {};
  std::string text = chef["run"].is_null() ? "no run" : "run " + text_of(chef["run"]);
  text += ", " + std::to_string(*resources) + " resources, " + std::to_string(*waiting) + " waiting actions";
  if (last.is_null()) return text;
  text += "\nthe last run ended " + text_of(last["ended"]);
  if (last["success"] == value(true)) return text + " well";
  return text + " badly: " + text_of(last["error"]);
}

std::string run_of(const value& status) {
  const auto& run = status["run"];
  return run.is_null() ? "none" : text_of(run["id"]) + ", since " + text_of(run["started"]);
}

}  // namespace

std::vector<detail> notification_details(const value& n) {
  description d;
  d.add("id", text_of(n["id"]));
  d.add("action", text_of(n["resource"]) + " " + text_of(n["action"]));
  d.add("node", text_of(n["node"]));
  d.add("sender", text_of(n["sender"]));
  d.add("caused by", causes_of(n));
  d.add("retry of", text_of(n["retry_of"]));
  d.add("state", text_of(n["state"]));
  d.add("error", text_of(n["error"]));
  d.add("outcome", text_of(n["outcome"]));
  d.add("exit status", text_of(n["exit_status"]));
  d.add("attempts", attempts_of(n));
  d.add("together with", text_of(n["performed_with"]));
  add_times(d, n["times"]);
  if (!has_ended(n)) d.add("expires", text_of(n["expires"]));
  d.add("output", text_of(n["output"]));
  return std::move(d).take();
}

std::vector<detail> status_details(const value& s) {
  const auto& queues = s["queues"];
  const auto environment = text_of(s["environment"]);
  description d;
  d.add("id", text_of(s["id"]));
  d.add("incarnation", text_of(s["incarnation"]));
  d.add("environment", environment);
  d.add("version", text_of(s["version"]));
  d.add("started", text_of(s["started"]));
  d.add("address", text_of(s["address"]) + (s["tls"] == value(true) ? ", over TLS" : ", without TLS"));
  d.add("registry", registry_of(s["registry"]));
  d.add("journal", journal_of(s["journal"]));
  d.add("resources", text_of(s["resources"]));
  d.add("run", run_of(s));
  d.add("chef", chef_of(s["chef"]));
  d.add("notifications", counted(queues["notifications"]));
  d.add("undelivered", undelivered_in(queues));
  d.add("peers", peers_of(s));
  auto known = std::move(d).take();
  auto others = s.as_map() ? *s.as_map() : value::map();
  for (const char* shown : {"id", "incarnation", "environment", "version", "started", "address", "tls", "registry",
                            "journal", "resources", "run", "chef", "queues", "peers", "troubles"})
    others.erase(shown);
  for (auto& other : details_of(others)) known.push_back(std::move(other));
  if (auto troubles = troubles_of(s); !troubles.empty()) known.push_back({"last errors", std::move(troubles)});
  return known;
}

}  // namespace flock::ctl

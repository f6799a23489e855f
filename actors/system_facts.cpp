#include "actors/system_facts.hpp"

#include <cmath>
#include <optional>
#include <sstream>
#include <utility>

namespace flock {
namespace {

error no_text_of(std::string_view file) { return {error_code::protocol, "this is no " + std::string(file)}; }

/// Calls f with each line, without its end.
template <class F> void each_line(std::string_view text, F f) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    f(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

/// As a shell takes it: without its quotes, and with what a backslash keeps from meaning something.
std::string unquoted(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') || text.back() != text.front())
    return std::string(text);
  std::string out;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

/// Bytes, of "MemTotal:  16316412 kB".
std::optional<std::uint64_t> kilobytes(std::string_view line, std::string_view name) {
  if (line.substr(0, name.size()) != name) return std::nullopt;
  std::istringstream in{std::string(line.substr(name.size()))};
  std::uint64_t number = 0;
  std::string unit;
  if (!(in >> number >> unit) || unit != "kB") return std::nullopt;
  return number * 1024;
}

template <class Fact>
result<Fact> fact_in(const system_view& system, const char* file, result<Fact> (*in)(std::string_view)) {
  const auto text = system.read(file);
  return text ? in(*text) : text.error();
}

}  // namespace

std::map<std::string, std::string> os_release(std::string_view text) {
  std::map<std::string, std::string> out;
  each_line(text, [&](std::string_view line) {
    const auto equals = line.find('=');
    if (line.empty() || line.front() == '#' || equals == line.npos) return;
    out.insert_or_assign(std::string(line.substr(0, equals)), unquoted(line.substr(equals + 1)));
  });
  return out;
}

result<std::array<double, 3>> load_averages(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::array<double, 3> out{};
  if (!(in >> out[0] >> out[1] >> out[2])) return no_text_of("/proc/loadavg");
  return out;
}

result<milliseconds> uptime(std::string_view text) {
  std::istringstream in{std::string(text)};
  double seconds = 0;
  if (!(in >> seconds) || seconds < 0) return no_text_of("/proc/uptime");
  return milliseconds(std::llround(seconds * 1000));
}

result<int> processors(std::string_view text) {
  int count = 0;
  each_line(text, [&](std::string_view line) {
    if (line.substr(0, line.find_first_of(" \t:")) == "processor") ++count;
  });
  if (count == 0) return no_text_of("/proc/cpuinfo");
  return count;
}

result<memory_use> memory(std::string_view text) {
  std::optional<std::uint64_t> total, available;
  each_line(text, [&](std::string_view line) {
    if (const auto bytes = kilobytes(line, "MemTotal:")) total = bytes;
    if (const auto bytes = kilobytes(line, "MemAvailable:")) available = bytes;
  });
  if (!total || !available) return no_text_of("/proc/meminfo");
  return memory_use{*total, *available};
}

result<std::string> distribution_of(const system_view& system) {
  auto text = system.read("/etc/os-release");
  if (!text) text = system.read("/usr/lib/os-release");
  if (!text) return text.error();
  const auto all = os_release(*text);
  const auto name = all.find("PRETTY_NAME");
  return name == all.end() ? std::string("Linux") : name->second;
}

result<std::array<double, 3>> load_of(const system_view& system) {
  return fact_in(system, "/proc/loadavg", load_averages);
}
result<milliseconds> uptime_of(const system_view& system) { return fact_in(system, "/proc/uptime", uptime); }
result<int> processors_of(const system_view& system) { return fact_in(system, "/proc/cpuinfo", processors); }
result<memory_use> memory_of(const system_view& system) { return fact_in(system, "/proc/meminfo", memory); }

}  // namespace flock

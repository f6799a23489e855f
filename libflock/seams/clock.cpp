#include <flock/clock.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

namespace flock {

namespace {

using namespace std::chrono_literals;

// Beyond any use, and far below where sums of times overflow.
constexpr milliseconds longest_duration = std::chrono::days(3650);

struct unit {
  std::string_view name;
  milliseconds length;
};

constexpr std::array<unit, 5> units = {{{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}}};

class machine_clock final : public clock {
 public:
  time_point now() const override { return std::chrono::steady_clock::now(); }
  wall_time wall() const override { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes a time apart from its front. After the first surprise everything is 0, and ok() is false.
class time_reader {
 public:
  explicit time_reader(std::string_view text) : left_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

  bool skip(std::string_view any_of) {
    if (left_.empty() || any_of.find(left_.front()) == any_of.npos) return false;
    left_.remove_prefix(1);
    return true;
  }

  void expect(std::string_view any_of) { ok_ = skip(any_of) && ok_; }

  int number(std::size_t digits, int at_most) {
    int n = 0;
    auto size = std::min(digits, left_.size());
    ok_ = ok_ && size == digits && std::all_of(left_.begin(), left_.begin() + size, is_digit);
    if (!ok_) return 0;
    std::from_chars(left_.data(), left_.data() + digits, n);
    left_.remove_prefix(digits);
    ok_ = n <= at_most;
    return n;
  }

  /// At least one digit after the point; those beyond milliseconds are dropped.
  milliseconds fraction() {
    milliseconds sum = number(1, 9) * 100ms;
    for (auto place = 10ms; ok_ && !at_end() && is_digit(left_.front()); place /= 10) sum += number(1, 9) * place;
    return sum;
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace

const clock& system_clock() {
  static const machine_clock the_clock;
  return the_clock;
}

result<milliseconds> parse_duration(std::string_view text) {
  auto bad = [&](std::string_view why) {
    return error{error_code::bad_argument, "duration \"" + std::string(text) + "\": " + std::string(why)};
  };
  std::uint64_t count = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed == std::errc::result_out_of_range) return bad("more than 10 years");
  if (failed != std::errc()) return bad("expected a number and a unit, such as 250ms, 5s, 2m, 24h or 7d");
  std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  auto found = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == name; });
  if (found == units.end())
    return bad(name.empty() ? "no unit; one of ms, s, m, h, d" : "the units are ms, s, m, h, d");
  if (count > static_cast<std::uint64_t>(longest_duration / found->length)) return bad("more than 10 years");
  return static_cast<std::int64_t>(count) * found->length;
}

std::string format_duration(milliseconds d) {
  if (d == 0ms) return "0s";
  auto largest = std::find_if(units.begin(), units.end(), [&](const unit& u) { return d % u.length == 0ms; });
  return std::to_string(d / largest->length) + std::string(largest->name);
}

std::string format_time(wall_time t) {
  auto day = std::chrono::floor<std::chrono::days>(t);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss time(t - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return text.data();
}

result<wall_time> parse_time(std::string_view text) {
  time_reader in(text);
  std::chrono::year year(in.number(4, 9999));
  in.expect("-");
  std::chrono::month month(static_cast<unsigned>(in.number(2, 12)));
  in.expect("-");
  std::chrono::day day(static_cast<unsigned>(in.number(2, 31)));
  in.expect("Tt ");
  milliseconds time = std::chrono::hours(in.number(2, 23));
  in.expect(":");
  time += std::chrono::minutes(in.number(2, 59));
  in.expect(":");
  time += std::chrono::seconds(in.number(2, 60));  // 60 is a leap second
  if (in.skip(".")) time += in.fraction();
  if (!in.skip("Zz")) {
    int west = in.skip("-") ? 1 : -1;
    if (west < 0) in.expect("+");
    time += west * std::chrono::hours(in.number(2, 23));
    in.expect(":");
    time += west * std::chrono::minutes(in.number(2, 59));
  }
  std::chrono::year_month_day date(year, month, day);
  if (!in.ok() || !in.at_end() || !date.ok()) {
    return error{error_code::bad_argument, "\"" + std::string(text) + "\" is no RFC 3339 time"};
  }
  return wall_time(std::chrono::sys_days(date)) + time;
}

}  // namespace flock

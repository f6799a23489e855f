#include "libflock/sqlite/journal_salvage.hpp"

#include "libflock/sqlite/checksum.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>

namespace flock::internal {

namespace {

// Each probe reads a handful of pages until it meets a record or a bad page. So many find what lies around dozens of
// bad pages, and end within a second or two.
constexpr int most_probes = 4000;

/// What has not been read lies between these keys; no `to`: up to the end.
struct gap {
  std::string from;
  std::optional<std::string> to;
};

std::uint64_t eight_bytes(std::string_view key, std::size_t at, char filler) {
  std::uint64_t number = 0;
  for (std::size_t i = at; i < at + 8; ++i)
    number = (number << 8) | static_cast<unsigned char>(i < key.size() ? key[i] : filler);
  return number;
}

/// A key in the middle of a gap; nothing if it is too narrow to have one.
std::optional<std::string> middle(const gap& g) {
  std::size_t same = 0;
  if (g.to) same = static_cast<std::size_t>(std::ranges::mismatch(g.from, *g.to).in1 - g.from.begin());
  const auto low = eight_bytes(g.from, same, '\0');
  const auto high = g.to ? eight_bytes(*g.to, same, '\0') : ~std::uint64_t{0};
  if (high - low < 2) return {};
  const auto number = low + (high - low) / 2;
  auto key = g.from.substr(0, same);
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>((number >> shift) & 0xff);
  return key;
}

class reader {
 public:
  using visitor = std::function<void(const stored_record&)>;

  reader(sqlite_database& db, const visitor& each) : each_(each) {
    usable_ = !db.prepare("select key, data, checksum from records where key > ?1 order by key", up_) &&
              !db.prepare("select key, data, checksum from records where key < ?1 order by key desc", down_) &&
              !db.prepare("select key, data, checksum from records order by key desc", down_from_end_);
  }

  void read_all() {
    if (!usable_) return;
    std::deque<gap> gaps{{{}, {}}};
    for (int probes = 0; !gaps.empty() && probes < most_probes; probes += 2) {
      auto g = std::move(gaps.front());
      gaps.pop_front();
      if (read_up(g) || read_down(g)) continue;
      if (auto key = middle(g)) {
        gaps.push_back({g.from, key});
        gaps.push_back({*std::move(key), std::move(g.to)});
      }
    }
  }

 private:
  /// Reads from the start of a gap, which shrinks. \returns whether nothing of it is left
  bool read_up(gap& g) {
    const auto start = g.from;
    up_.text(1, start);
    return read(up_, [&](std::string_view key) {
      if (key <= g.from) return place::wrong;
      if (g.to && key >= *g.to) return place::beyond;
      g.from = key;
      return place::inside;
    });
  }

  /// And from its end.
  bool read_down(gap& g) {
    const auto end = g.to;
    if (end) down_.text(1, *end);
    return read(end ? down_ : down_from_end_, [&](std::string_view key) {
      if (g.to && key >= *g.to) return place::wrong;
      if (key <= g.from) return place::beyond;
      g.to = key;
      return place::inside;
    });
  }

  /// Where a key lies that was met on the way; in a damaged page they may be out of order.
  enum class place : std::uint8_t { inside, beyond, wrong };

  /// \returns whether it got to the other end
  bool read(sqlite_statement& s, const std::function<place(std::string_view key)>& place_of) {
    using step = sqlite_statement::result_of_step;
    auto stepped = s.step();
    auto at = place::inside;
    for (; stepped == step::row; stepped = s.step()) {
      const stored_record r{s.text(0), s.text(1), s.number(2)};
      at = place_of(r.key);
      if (at != place::inside) break;
      each_(r);
    }
    s.reset();
    return stepped != step::failed && at != place::wrong;
  }

  const visitor& each_;
  sqlite_statement up_, down_, down_from_end_;
  bool usable_ = false;
};

}  // namespace

std::int64_t checksum_of(std::string_view key, std::string_view data) {
  // The length of the key stands between the two: moving a byte from one to the other would not show otherwise.
  const auto length = std::to_string(key.size());
  return crc32c(data, crc32c(length, crc32c(key)));
}

void salvage(sqlite_database& db, const std::function<void(const stored_record&)>& each) {
  reader(db, each).read_all();
}

}  // namespace flock::internal

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flock::bench {

/// ZooKeeper's own encoding: integers are big endian, text and bytes have their length before them, lists their count.
/// Source: zookeeper.jute, and Apache Hadoop's record format
class jute_writer {
 public:
  jute_writer& number(std::int32_t n) { return put(static_cast<std::uint32_t>(n)); }
  jute_writer& long_number(std::int64_t n) { return put(static_cast<std::uint64_t>(n)); }
  jute_writer& flag(bool b) { return out_.push_back(b ? 1 : 0), *this; }
  jute_writer& text(std::string_view s) { return number(static_cast<std::int32_t>(s.size())), out_.append(s), *this; }

  const std::string& str() const { return out_; }

 private:
  template <class Unsigned> jute_writer& put(Unsigned n) {
    for (int shift = sizeof n * 8 - 8; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(n >> shift & 0xff));
    return *this;
  }

  std::string out_;
};

/// Reads what a server wrote. What is cut short reads as zeros and empty texts, and is_good() says so.
class jute_reader {
 public:
  explicit jute_reader(std::string_view in) : in_(in) {}

  std::int32_t number() { return static_cast<std::int32_t>(take<std::uint32_t>()); }
  std::int64_t long_number() { return static_cast<std::int64_t>(take<std::uint64_t>()); }

  std::string text() {
    const auto size = number();
    if (size <= 0) return {};  // -1 stands for none
    if (!has(static_cast<std::size_t>(size))) return {};
    std::string out(in_.substr(0, static_cast<std::size_t>(size)));
    in_.remove_prefix(static_cast<std::size_t>(size));
    return out;
  }

  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (auto left = number(); left > 0 && good_; --left) all.push_back(text());
    return all;
  }

  bool is_good() const { return good_; }

 private:
  bool has(std::size_t bytes) {
    if (in_.size() >= bytes) return true;
    in_ = {};
    return good_ = false;
  }

  template <class Unsigned> Unsigned take() {
    if (!has(sizeof(Unsigned))) return 0;
    Unsigned n = 0;
    for (std::size_t i = 0; i < sizeof n; ++i) n = n << 8 | static_cast<unsigned char>(in_[i]);
    in_.remove_prefix(sizeof n);
    return n;
  }

  std::string_view in_;
  bool good_ = true;
};

}  // namespace flock::bench

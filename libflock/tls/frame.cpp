#include "libflock/tls/frame.hpp"

#include <algorithm>

namespace flock::internal {

namespace {

// One large frame must not be paid for until the connection ends.
constexpr std::size_t kept_capacity = 16 << 10;

std::size_t length_in(std::string_view header) {
  std::size_t length = 0;
  for (char byte : header.substr(0, frame_header)) length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

}  // namespace

void append_frame(const message& m, std::string& out) {
  const auto start = out.size();
  out.append(frame_header, '\0');
  encode(m, out);
  const auto length = out.size() - start - frame_header;
  for (std::size_t i = 0; i < frame_header; ++i)
    out[start + i] = static_cast<char>(length >> 8 * (frame_header - 1 - i) & 0xff);
}

result<std::optional<std::string_view>> frame_decoder::next() {
  if (complete_) {
    partial_.clear();
    if (partial_.capacity() > kept_capacity) partial_.shrink_to_fit();
    complete_ = false;
  }
  if (auto whole = whole_in_input()) return whole;

  if (!collect(frame_header)) return std::optional<std::string_view>();
  const auto length = length_in(partial_);
  if (length > limit_)
    return error{error_code::protocol,
                 "a frame of " + std::to_string(length) + " bytes, the limit is " + std::to_string(limit_)};
  complete_ = collect(frame_header + length);
  if (!complete_) return std::optional<std::string_view>();
  return std::optional(std::string_view(partial_).substr(frame_header));
}

// The usual case, without a copy.
std::optional<std::string_view> frame_decoder::whole_in_input() {
  if (!partial_.empty() || input_.size() < frame_header) return {};
  const auto length = length_in(input_);
  if (length > limit_ || input_.size() - frame_header < length) return {};
  const auto whole = input_.substr(frame_header, length);
  input_.remove_prefix(frame_header + length);
  return whole;
}

// Moves input to the partial frame until that has this size. \returns whether it has
bool frame_decoder::collect(std::size_t size) {
  if (partial_.size() < size) {
    const auto taken = std::min(size - partial_.size(), input_.size());
    partial_.append(input_.substr(0, taken));
    input_.remove_prefix(taken);
  }
  return partial_.size() >= size;
}

}  // namespace flock::internal

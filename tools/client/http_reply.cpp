#include "tools/client/http_reply.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <cstdint>
#include <limits>
#include <utility>

namespace flock {

namespace {

namespace beast = boost::beast;
using beast::http::field;
using beast_error = beast::error_code;
using beast_text = beast::string_view;

// More than flockd sends.
constexpr std::uint32_t max_headers = 16 * 1024;

error broken(const beast_error& why) { return {error_code::protocol, "no HTTP/1.1 reply: " + why.message()}; }

}  // namespace

/// What Beast's parser found. The body is appended to whatever `body` points to at that time.
class http_reply::parser final : public beast::http::basic_parser<false> {
 public:
  parser() {
    eager(true);
    header_limit(max_headers);
    // Whoever keeps it has one; boost::none, in 1.74, means 0.
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  int status = 0;
  std::string* body = nullptr;

 private:
  void on_request_impl(beast::http::verb, beast_text, beast_text, int, beast_error&) override {}
  void on_response_impl(int code, beast_text, int, beast_error&) override { status = code; }
  void on_field_impl(field name, beast_text, beast_text text, beast_error& wrong) override {
    // Others are asked for by nobody.
    if (name == field::transfer_encoding && !beast::iequals(text, "chunked"))
      wrong = beast::http::error::bad_transfer_encoding;
  }
  void on_header_impl(beast_error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast_error&) override {}
  std::size_t on_body_impl(beast_text bytes, beast_error&) override { return keep(bytes); }
  void on_chunk_header_impl(std::uint64_t, beast_text, beast_error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast_text bytes, beast_error&) override { return keep(bytes); }
  void on_finish_impl(beast_error&) override {}

  std::size_t keep(beast_text bytes) {
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
};

http_reply::http_reply() : parser_(std::make_unique<parser>()) {}
http_reply::~http_reply() = default;

int http_reply::status() const { return parser_->status; }
bool http_reply::complete() const { return parser_->is_done(); }

result<void> http_reply::feed(std::string_view bytes, std::string& body) {
  pending_ += bytes;
  parser_->body = &body;
  while (!complete() && !pending_.empty()) {
    beast_error wrong;
    const auto taken = parser_->put(boost::asio::buffer(pending_), wrong);
    pending_.erase(0, taken);
    if (wrong == beast::http::error::need_more) break;
    if (wrong) return broken(wrong);
    if (taken == 0) break;
  }
  // Bodies are taken as they come: what is left is headers, of chunks too, which are looked at again with each byte.
  if (pending_.size() > max_headers) return broken(beast::http::error::header_limit);
  return {};
}

result<void> http_reply::end() {
  beast_error wrong;
  if (parser_->got_some() && !complete()) parser_->put_eof(wrong);
  if (wrong) return broken(wrong);
  if (!complete()) return broken(beast::http::error::partial_message);
  return {};
}

}  // namespace flock

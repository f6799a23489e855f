#include "libflock/tls/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace flock::internal {

namespace {

// What an idle connection keeps for its next record.
constexpr std::size_t kept_capacity = 4 << 10;

// Whatever another connection left there must not be taken for this one's. To clear nothing costs more than to look.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

// OpenSSL's side of the session's input and output.
struct session_bio {
  static tls_session& session(BIO* b) { return *static_cast<tls_session*>(BIO_get_data(b)); }

  static int read(BIO* b, char* out, int size) {
    BIO_clear_retry_flags(b);
    auto& input = session(b).input_;
    const auto taken = std::min(input.size(), static_cast<std::size_t>(size));
    if (taken == 0) {
      BIO_set_retry_read(b);
      return -1;
    }
    std::memcpy(out, input.data(), taken);
    input.remove_prefix(taken);
    return static_cast<int>(taken);
  }

  static int write(BIO* b, const char* data, int size) {
    BIO_clear_retry_flags(b);
    try {
      session(b).output_.append(data, static_cast<std::size_t>(size));
    } catch (const std::bad_alloc&) {  // must not pass through C
      return -1;
    }
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      auto* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "flock session");
      BIO_meth_set_read(m, read);
      BIO_meth_set_write(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }

  static BIO* make(tls_session& s) {
    auto* b = BIO_new(method());
    if (!b) throw std::bad_alloc();
    BIO_set_data(b, &s);
    BIO_set_init(b, 1);
    return b;
  }
};

void tls_session::free_ssl::operator()(ssl_st* s) const { SSL_free(s); }

tls_session::tls_session(std::shared_ptr<const tls_context> context, tls_role role) : context_(std::move(context)) {
  established_ = !context_;
  if (!context_) return;
  forget_errors();
  ssl_.reset(SSL_new(context_->native()));
  if (!ssl_) throw std::bad_alloc();
  auto* both_ways = session_bio::make(*this);
  SSL_set_bio(ssl_.get(), both_ways, both_ways);
  if (role == tls_role::dialler)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

tls_session::~tls_session() = default;

result<void> tls_session::start() {
  if (!ssl_) return {};
  forget_errors();
  const int done = SSL_do_handshake(ssl_.get());
  if (const int code = SSL_get_error(ssl_.get(), done); done != 1 && code != SSL_ERROR_WANT_READ) return failure(code);
  return {};
}

result<std::string_view> tls_session::read(std::span<char> buffer) {
  if (!ssl_) return std::exchange(input_, {});
  std::size_t size = 0;
  while (size < buffer.size()) {
    std::size_t more = 0;
    forget_errors();
    const int done = SSL_read_ex(ssl_.get(), buffer.data() + size, buffer.size() - size, &more);
    if (!established_ && SSL_is_init_finished(ssl_.get())) established_ = true;
    if (done == 1) {
      size += more;
      if (!has_more()) break;  // to be told so by another read would cost as much as the first one
      continue;
    }
    const int code = SSL_get_error(ssl_.get(), done);
    if (code == SSL_ERROR_WANT_READ || size > 0) break;  // what came before a failure is read first
    return failure(code);
  }
  return std::string_view(buffer.data(), size);
}

bool tls_session::has_more() const { return !input_.empty() || (ssl_ && SSL_has_pending(ssl_.get())); }

std::vector<std::string> tls_session::peer_names() const {
  auto* certificate = ssl_ ? SSL_get0_peer_certificate(ssl_.get()) : nullptr;
  return certificate ? node_names(certificate) : std::vector<std::string>();
}

void tls_session::keep_buffers(bool yes) {
  if (!ssl_ || std::exchange(keeps_buffers_, yes) == yes) return;
  if (yes) {
    SSL_clear_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
  } else {
    SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_free_buffers(ssl_.get());
  }
}

result<void> tls_session::write(std::string_view data) {
  if (!ssl_) {
    output_ += data;
    return {};
  }
  std::size_t written = 0;
  forget_errors();
  const int done = SSL_write_ex(ssl_.get(), data.data(), data.size(), &written);
  return done == 1 ? result<void>() : failure(SSL_get_error(ssl_.get(), done));
}

void tls_session::sent(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < output_.size()) return;
  output_.clear();
  if (output_.capacity() > kept_capacity) output_.shrink_to_fit();
  sent_ = 0;
}

error tls_session::failure(int code) const {
  if (code == SSL_ERROR_ZERO_RETURN) return {error_code::down, "closed by the peer"};
  const long verdict = SSL_get_verify_result(ssl_.get());
  const auto said = last_openssl_error();
  if (established_) return {error_code::protocol, "TLS: " + said};
  if (verdict == X509_V_OK) return {error_code::refused, "TLS: " + said};
  return {error_code::refused, std::string("its certificate: ") + X509_verify_cert_error_string(verdict)};
}

}  // namespace flock::internal

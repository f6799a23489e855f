#include "libflock/tls/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>

namespace flock::internal {

namespace {

constexpr std::string_view dns_prefix = "DNS:";
constexpr std::string_view uri_prefix = "URI:flock:";

template <auto Free> struct freed_by {
  template <class T> void operator()(T* p) const { Free(p); }
};

void free_names(GENERAL_NAMES* names) { GENERAL_NAMES_free(names); }

bool equal_in_any_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// With the length that the certificate says: a NUL inside ends no comparison early.
std::string text_of(const ASN1_STRING* s) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(s)), static_cast<std::size_t>(ASN1_STRING_length(s))};
}

error failed(error_code code, const std::string& path) { return {code, path + ": " + last_openssl_error()}; }

result<void> check_readable(const std::string& path) {
  std::ifstream file(path);
  if (file.good()) return {};
  return error{error_code::io, "cannot read " + path + ": " + std::generic_category().message(errno)};
}

// A daemon has no terminal to ask for a password at.
int no_password(char*, int, int, void*) { return 0; }

result<void> load_authority(SSL_CTX* context, const std::string& path) {
  if (auto readable = check_readable(path); !readable) return readable;
  if (SSL_CTX_load_verify_file(context, path.c_str()) != 1) return failed(error_code::bad_argument, path);
  return {};
}

result<void> load_own(SSL_CTX* context, const tls_files& files) {
  if (auto readable = check_readable(files.cert); !readable) return readable.error().within("tls-cert");
  if (auto readable = check_readable(files.key); !readable) return readable.error().within("tls-key");
  if (SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1)
    return failed(error_code::bad_argument, files.cert).within("tls-cert");
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed(error_code::bad_argument, files.key).within("tls-key");
  return {};
}

}  // namespace

std::vector<std::string> node_names(x509_st* certificate) {
  std::vector<std::string> found;
  std::unique_ptr<GENERAL_NAMES, freed_by<free_names>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) found.push_back(std::string(dns_prefix) + text_of(name->d.dNSName));
    if (name->type != GEN_URI) continue;
    auto uri = "URI:" + text_of(name->d.uniformResourceIdentifier);
    if (uri.starts_with(uri_prefix)) found.push_back(std::move(uri));
  }
  return found;
}

bool names_node(const std::vector<std::string>& names, const node_id& id) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    if (name.starts_with(dns_prefix)) return equal_in_any_case(name.substr(dns_prefix.size()), id.str());
    return name.starts_with(uri_prefix) && name.substr(uri_prefix.size()) == id.str();
  });
}

std::string list_names(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return "[" + list + "]";
}

std::string last_openssl_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason ? reason : "TLS failed";
  ERR_clear_error();
  return text;
}

void tls_context::free_context::operator()(ssl_ctx_st* c) const { SSL_CTX_free(c); }

tls_context::tls_context(tls_files files, context_ptr context)
    : files_(std::move(files)), context_(std::move(context)) {}

result<void> tls_context::check(const node_id& id) const {
  const auto wrong = [&](const std::string& what) {
    return error{error_code::bad_argument, files_.cert + ": " + what};
  };
  ERR_clear_error();
  auto* own = SSL_CTX_get0_certificate(native());
  if (!own) return error{error_code::bad_argument, "TLS needs a certificate and a key"};
  const auto names = node_names(own);
  if (!names_node(names, id)) return wrong("is for " + list_names(names) + ", not for this node, " + id.str());
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(native(), &chain);
  std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>> verifier(X509_STORE_CTX_new());
  if (!verifier || X509_STORE_CTX_init(verifier.get(), SSL_CTX_get_cert_store(native()), own, chain) != 1)
    return wrong(last_openssl_error());
  if (X509_verify_cert(verifier.get()) == 1) return {};
  return wrong("not valid by " + files_.ca + ": " +
               X509_verify_cert_error_string(X509_STORE_CTX_get_error(verifier.get())));
}

result<std::shared_ptr<const tls_context>> tls_context::load(const tls_files& files) {
  ERR_clear_error();
  context_ptr context(SSL_CTX_new(TLS_method()));
  if (!context) return failed(error_code::io, "OpenSSL");
  auto* c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_default_passwd_cb(c, no_password);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  // Every connection proves itself anew, so that a certificate which has expired is not resumed.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(c, 0);
  if (auto loaded = load_authority(c, files.ca); !loaded) return loaded.error().within("tls-ca");
  if (!files.cert.empty() || !files.key.empty()) {
    if (auto loaded = load_own(c, files); !loaded) return loaded.error();
  }
  return std::shared_ptr<const tls_context>(new tls_context(files, std::move(context)));
}

}  // namespace flock::internal

#include "libflock/tls/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace flock::internal {

namespace {

template <auto Free> struct freed_by {
  template <class T> void operator()(T* p) const { Free(p); }
};
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

error failed(const char* doing) { return {error_code::io, std::string(doing) + ": " + last_openssl_error()}; }

// Labels of letters, digits, '-' and '_', which host names do not have and certificates of machines do.
bool can_be_host_name(std::string_view id) {
  constexpr std::size_t longest_label = 63, longest = 253;
  std::size_t label = 0;
  for (char c : id) {
    if (c == ':') return false;
    if (c == '.' && label == 0) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > longest_label) return false;
  }
  return label > 0 && id.size() <= longest;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, text.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7f;  // positive
  std::unique_ptr<BIGNUM, freed_by<BN_free>> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

bool set_common_name(X509_NAME* name, std::string_view text) {
  constexpr std::size_t longest = 64;  // RFC 5280, ub-common-name
  text = text.substr(0, longest);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_validity(X509* certificate, const validity& when) {
  const auto from = std::chrono::system_clock::to_time_t(when.from), to = std::chrono::system_clock::to_time_t(when.to);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from) && ASN1_TIME_set(X509_getm_notAfter(certificate), to);
}

// Everything but extensions, issuer and signature.
bool fill(X509* certificate, EVP_PKEY* key, std::string_view name, const validity& when) {
  return certificate && key && X509_set_version(certificate, X509_VERSION_3) == 1 && set_random_serial(certificate) &&
         set_common_name(X509_get_subject_name(certificate), name) && set_validity(certificate, when) &&
         X509_set_pubkey(certificate, key) == 1;
}

std::string contents(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

result<std::string> to_pem(X509* certificate) {
  bio_ptr out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_X509(out.get(), certificate) != 1) return failed("writing a certificate");
  return contents(out.get());
}

result<std::string> to_pem(EVP_PKEY* key) {
  bio_ptr out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("writing a key");
  return contents(out.get());
}

result<void> write_file(const std::string& path, std::string_view text, mode_t mode) {
  const auto broken = [&] { return error{error_code::io, path + ": " + std::generic_category().message(errno)}; };
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) return broken();
  result<void> done;
  if (::fchmod(file, mode) != 0) done = broken();  // it may have been there, open to all
  while (done && !text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written < 0)
      done = broken();
    else
      text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(file);
  return done;
}

}  // namespace

void certificate_authority::free_key::operator()(evp_pkey_st* k) const { EVP_PKEY_free(k); }
void certificate_authority::free_certificate::operator()(x509_st* c) const { X509_free(c); }

result<certificate_authority> certificate_authority::make(const std::string& name, const validity& when) {
  ERR_clear_error();
  certificate_authority made;
  made.key_.reset(EVP_EC_gen("P-256"));
  made.certificate_.reset(X509_new());
  auto* own = made.certificate_.get();
  const bool signed_by_itself =
      fill(own, made.key_.get(), name, when) && X509_set_issuer_name(own, X509_get_subject_name(own)) == 1 &&
      add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(own, own, NID_subject_key_identifier, "hash") && X509_sign(own, made.key_.get(), EVP_sha256()) > 0;
  if (!signed_by_itself) return failed("making an authority");
  auto pem = to_pem(own);
  if (!pem) return pem.error();
  made.pem_ = *std::move(pem);
  return made;
}

result<key_pair> certificate_authority::issue(const node_id& id, const validity& when) const {
  ERR_clear_error();
  const std::unique_ptr<evp_pkey_st, free_key> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<x509_st, free_certificate> made(X509_new());
  auto* issuer = certificate_.get();
  const auto name = (can_be_host_name(id.str()) ? "DNS:" : "URI:flock:") + id.str();
  const bool signed_here = fill(made.get(), key.get(), id.str(), when) &&
                           X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1 &&
                           add_extension(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                           add_extension(made.get(), issuer, NID_key_usage, "critical,digitalSignature") &&
                           add_extension(made.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
                           add_extension(made.get(), issuer, NID_subject_alt_name, name) &&
                           add_extension(made.get(), issuer, NID_authority_key_identifier, "keyid") &&
                           X509_sign(made.get(), key_.get(), EVP_sha256()) > 0;
  if (!signed_here) return failed("issuing a certificate");
  auto certificate = to_pem(made.get());
  if (!certificate) return certificate.error();
  auto secret = to_pem(key.get());
  if (!secret) return secret.error();
  return key_pair{*std::move(certificate), *std::move(secret)};
}

result<tls_files> certificate_authority::issue_into(const std::string& folder, const node_id& id,
                                                    const validity& when) const {
  constexpr mode_t for_all = 0644, for_owner = 0600;
  auto pair = issue(id, when);
  if (!pair) return pair.error();
  tls_files files{folder + "/ca.pem", folder + "/cert.pem", folder + "/key.pem"};
  if (auto done = write_file(files.ca, pem_, for_all); !done) return done.error();
  if (auto done = write_file(files.cert, pair->certificate, for_all); !done) return done.error();
  if (auto done = write_file(files.key, pair->key, for_owner); !done) return done.error();
  return files;
}

}  // namespace flock::internal

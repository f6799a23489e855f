#pragma once

#include <flock/error.hpp>
#include <flock/name.hpp>

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;
struct x509_st;

namespace flock::internal {

/// The certificates of one node, as PEM files.
struct tls_files {
  std::string ca;
  std::string cert;  ///< its subject alternative name holds the node id: DNS:<id> or URI:flock:<id>
  std::string key;
};

/// The names in a certificate that can name a node, such as "DNS:bender1" and "URI:flock:bender:1".
std::vector<std::string> node_names(x509_st* certificate);

/// Whether one of the names is this node's: URIs exactly, DNS names in any case. There are no wildcards.
bool names_node(const std::vector<std::string>& names, const node_id& id);

/// "[DNS:bender1, DNS:fry]", for people.
std::string list_names(const std::vector<std::string>& names);

/// What all TLS connections of a node share: TLS 1.3, its certificate and key, and the one authority that it trusts.
/// Both ends must show a certificate. Never changes; new files make a new one.
class tls_context {
 public:
  /// Without a certificate and key in `files` it can only show none.
  /// Errors: io (a file cannot be read), bad_argument (no certificate or key in it, or they do not fit each other)
  static result<std::shared_ptr<const tls_context>> load(const tls_files& files);

  /// Whether peers that trust the same authority will believe that this is node `id`: what they would find out, said
  /// to the one who can mend it. Errors: bad_argument (no certificate, not valid now, or another node's)
  result<void> check(const node_id& id) const;

  ssl_ctx_st* native() const { return context_.get(); }

 private:
  struct free_context {
    void operator()(ssl_ctx_st* c) const;
  };
  using context_ptr = std::unique_ptr<ssl_ctx_st, free_context>;

  tls_context(tls_files files, context_ptr context);

  tls_files files_;
  context_ptr context_;
};

/// What OpenSSL last complained of on this thread, in its words; forgets it.
std::string last_openssl_error();

}  // namespace flock::internal

#pragma once

#include "libflock/tls/tls_context.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;

namespace flock::internal {

/// When a certificate is valid.
struct validity {
  wall_time from, to;
};

/// A certificate and its private key, in PEM form.
struct key_pair {
  std::string certificate;
  std::string key;
};

/// An authority for one test or one local cluster: its key lives in memory and is gone with it. For a real flock, use
/// the authority that the machines have already.
class certificate_authority {
 public:
  /// EC P-256. Errors: io (OpenSSL)
  static result<certificate_authority> make(const std::string& name, const validity& when);

  /// In PEM form: what the nodes' `ca` file holds.
  const std::string& certificate() const { return pem_; }

  /// A certificate with which a node can dial and be dialled. Its subject alternative name is DNS:<id> where the id can
  /// be a host name, else URI:flock:<id>. Errors: io (OpenSSL)
  result<key_pair> issue(const node_id& id, const validity& when) const;

  /// Issues, and writes ca.pem, cert.pem and key.pem (mode 0600) into a folder. Errors: io
  result<tls_files> issue_into(const std::string& folder, const node_id& id, const validity& when) const;

 private:
  struct free_key {
    void operator()(evp_pkey_st* k) const;
  };
  struct free_certificate {
    void operator()(x509_st* c) const;
  };

  certificate_authority() = default;

  std::unique_ptr<evp_pkey_st, free_key> key_;
  std::unique_ptr<x509_st, free_certificate> certificate_;
  std::string pem_;
};

}  // namespace flock::internal

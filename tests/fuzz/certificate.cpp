#include "libflock/tls/tls_context.hpp"
#include "tests/fuzz/fuzz.hpp"
#include <flock/name.hpp>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

// The names in a certificate that an authority signed, whatever it put there: the input is the subject alternative
// name, DER. What names a node is one of the names, whole.

using namespace flock;
using fuzz::require;

namespace {

template <auto Free> struct freed_by {
  template <class T> void operator()(T* p) const { Free(p); }
};
using certificate = std::unique_ptr<X509, freed_by<X509_free>>;

certificate named_by(const std::uint8_t* data, std::size_t size) {
  certificate made(X509_new());
  const std::unique_ptr<ASN1_OCTET_STRING, freed_by<ASN1_OCTET_STRING_free>> der(ASN1_OCTET_STRING_new());
  require(ASN1_OCTET_STRING_set(der.get(), data, static_cast<int>(size)) == 1, "there is memory");
  const std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>> names(
      X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 0, der.get()));
  require(X509_add_ext(made.get(), names.get(), -1) == 1, "an extension can be added");
  return made;
}

void check(const std::vector<std::string>& names, const std::string& name) {
  require(name.starts_with("DNS:") || name.starts_with("URI:flock:"), "only these name a node");
  const auto text = name.substr(name.starts_with("DNS:") ? 4 : 10);
  const auto id = node_id::parse(text);
  if (!id) return;
  require(internal::names_node(names, *id), "a node is named by its name");
  if (const auto other = node_id::parse(text + "x"))
    require(internal::names_node({name}, *other) == false, "and no other node is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // OpenSSL makes what it needs with the first one.
  const fuzz::allowance cost((1 << 20) + 400 * size);

  const auto names = internal::node_names(named_by(data, size).get());

  for (const auto& name : names) check(names, name);
  return 0;
}

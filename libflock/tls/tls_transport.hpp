#pragma once

#include "libflock/seams/runtime.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/tls/tls_context.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flock::internal {

struct tls_transport_options {
  std::string listen;              ///< "host:port"; port 0 picks one
  std::optional<tls_files> files;  ///< nothing: plain TCP, where everybody is who it says
  transport_limits limits;
  /// Whose turns the threads that read may take; null: they only read and write.
  runtime* threads = nullptr;
  /// One line for the log: level ("warning", "info", "debug") and text. Called on the transport's thread.
  std::function<void(std::string_view level, const std::string& text)> log;
};

/// Frames over mutual TLS 1.3 (Asio, OpenSSL), read and written by one thread at a time; see leadership. A frame is its
/// length (four bytes, big endian), then the message. docs/wire_format.md has the details. Errors: bad_argument, io
/// (the certificates)
result<std::unique_ptr<transport>> make_tls_transport(hello self, tls_transport_options o);

/// Of the library that runs.
std::string openssl_version();

}  // namespace flock::internal

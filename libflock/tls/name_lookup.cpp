#include "libflock/tls/name_lookup.hpp"

#include <boost/asio/post.hpp>

#include <charconv>
#include <mutex>
#include <optional>
#include <thread>

namespace flock::internal {

namespace asio = boost::asio;
using asio::ip::tcp;

struct name_lookup::shared {
  std::mutex mutex;
  asio::io_context* io;  // guarded; null when nobody waits any more
  int running = 0;       // guarded
};

namespace {

error bad_address(std::string_view text) {
  return {error_code::bad_argument, "no \"host:port\": \"" + std::string(text) + "\""};
}

std::optional<endpoints> numeric(const host_port& where) {
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(where.host, failed);
  if (failed) return std::nullopt;
  return endpoints{{address, where.port}};
}

result<endpoints> ask(const host_port& where) {
  asio::io_context unused;  // its blocking form runs nothing there
  boost::system::error_code failed;
  const auto found = tcp::resolver(unused).resolve(where.host, std::to_string(where.port), failed);
  if (failed) return error{error_code::unreachable, where.host + ": " + failed.message()};
  endpoints all;
  for (const auto& entry : found) all.push_back(entry.endpoint());
  return all;
}

}  // namespace

result<host_port> host_port::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  host_port parsed;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.port);
  if (failed != std::errc() || end != digits.data() + digits.size()) return bad_address(text);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!bracketed && host.find(':') != std::string_view::npos)) return bad_address(text);
  parsed.host = host;
  return parsed;
}

std::string to_text(const tcp::endpoint& e) {
  const auto address = e.address().to_string();
  return (e.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(e.port());
}

result<endpoints> look_up(const std::string& address) {
  const auto where = host_port::parse(address);
  if (!where) return where.error();
  if (auto known = numeric(*where)) return *std::move(known);
  return ask(*where);
}

name_lookup::name_lookup(asio::io_context& io) : shared_(std::make_shared<shared>()) { shared_->io = &io; }

name_lookup::~name_lookup() {
  std::lock_guard lock(shared_->mutex);
  shared_->io = nullptr;
}

void name_lookup::start(const std::string& address, callback done) {
  const auto answer = [](const std::shared_ptr<shared>& to, callback f, result<endpoints> found) {
    std::lock_guard lock(to->mutex);
    if (to->io) asio::post(*to->io, [f = std::move(f), found = std::move(found)] { f(found); });
  };
  const auto where = host_port::parse(address);
  if (!where) return answer(shared_, std::move(done), where.error());
  if (auto known = numeric(*where)) return answer(shared_, std::move(done), *std::move(known));
  {
    std::lock_guard lock(shared_->mutex);
    if (shared_->running < at_once) {
      std::thread([answer, to = shared_, where = *where, done] {
        auto found = ask(where);
        {
          std::lock_guard ended(to->mutex);
          --to->running;
        }
        answer(to, done, std::move(found));
      }).detach();
      ++shared_->running;
      return;
    }
  }
  answer(shared_, std::move(done), error{error_code::unreachable, "too many names are being looked up at once"});
}

}  // namespace flock::internal

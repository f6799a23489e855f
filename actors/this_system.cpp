#include "actors/system_view.hpp"
#include "libflock/core/library_versions.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <ifaddrs.h>
#include <iterator>
#include <memory>
#include <net/if.h>
#include <netdb.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <system_error>

namespace flock {
namespace {

error failed(const std::string& what) { return {error_code::io, what + ": " + std::generic_category().message(errno)}; }

class linux_system final : public system_view {
 public:
  result<std::string> read(const std::string& path) const override {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) return failed("cannot read " + path);
    return text;
  }

  result<kernel> running() const override {
    utsname names{};
    if (::uname(&names) != 0) return failed("uname");
    return kernel{names.sysname, names.release, names.machine};
  }

  result<space> disk_of(const std::string& folder) const override {
    struct statvfs told {};
    if (::statvfs(folder.c_str(), &told) != 0) return failed(folder);
    const std::uint64_t block = told.f_frsize;
    return space{told.f_blocks * block, told.f_bavail * block};
  }

  std::vector<std::string> addresses() const override {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return {};
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, ::freeifaddrs);
    std::vector<std::string> out;
    for (const auto* each = all.get(); each; each = each->ifa_next)
      if (auto text = text_of(*each); !text.empty()) out.push_back(std::move(text));
    return out;
  }

  std::map<std::string, std::string> versions() const override { return library_versions(); }

 private:
  static std::string text_of(const ifaddrs& each) {
    if (!each.ifa_addr || (each.ifa_flags & IFF_LOOPBACK) != 0) return {};
    const auto family = each.ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) return {};
    const auto size = static_cast<socklen_t>(family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(each.ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
    return text.data();
  }
};

}  // namespace

const system_view& this_system() {
  static const linux_system the_system;
  return the_system;
}

}  // namespace flock

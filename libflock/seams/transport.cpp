#include "libflock/seams/transport.hpp"

#include <flock/value_cast.hpp>

namespace flock {

namespace {

/// Reads members of a map, until one is wrong.
class member_reader {
 public:
  explicit member_reader(const value& from) : from_(from) {}

  template <class T> std::optional<T> read(const char* name) {
    auto member = from_value<T>(from_[name]);
    if (member) return *std::move(member);
    if (!wrong_) wrong_ = error{error_code::protocol, member.error().within(name).within("hello").what};
    return std::nullopt;
  }

  const std::optional<error>& wrong() const { return wrong_; }

 private:
  const value& from_;
  std::optional<error> wrong_;
};

}  // namespace

value hello::to_body() const {
  return value::map{{"flock", flock},     {"id", id.str()},     {"life", life.str()},
                    {"version", version}, {"address", address}, {"environment", environment},
                    {"journal", journal}};
}

result<hello> hello::from_body(const value& body) {
  member_reader in(body);
  auto flock = in.read<std::string>("flock");
  auto id = in.read<node_id>("id");
  auto life = in.read<incarnation>("life");
  auto version = in.read<std::string>("version");
  auto address = in.read<std::string>("address");
  auto environment = in.read<std::string>("environment");
  auto journal = in.read<std::string>("journal");
  if (in.wrong()) return *in.wrong();
  return hello{*flock, *id, *life, *version, *address, *environment, *journal};
}

}  // namespace flock

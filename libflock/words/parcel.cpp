#include "libflock/words/parcel.hpp"

#include "libflock/values/member_reader.hpp"
#include "libflock/values/packed_reader.hpp"
#include "libflock/values/value_writer.hpp"
#include <flock/value_cast.hpp>

#include <utility>

namespace flock {

namespace {

using internal::from_packed;
using internal::member_reader;
using internal::packed_elements;
using internal::packed_reader;

error broken(const error& why) { return {error_code::protocol, why.what}; }

result<parcel> read_parcel(std::string_view packed) {
  if (packed.size() > max_parcel_size)
    return error{error_code::bad_argument, "parcel: " + std::to_string(packed.size()) + " bytes, at most " +
                                               std::to_string(max_parcel_size) + " are taken"};
  const packed_reader in(packed);
  if (in.failed()) return in.failed()->within("parcel");
  if (const auto content = in.find("notification")) {
    auto n = notification::read(*content);
    if (!n) return n.error().within("notification");
    return parcel(*std::move(n));
  }
  if (const auto content = in.find("receipt")) {
    auto r = receipt::read(*content);
    if (!r) return r.error().within("receipt");
    return parcel(*std::move(r));
  }
  return error{error_code::bad_argument, "parcel: neither a notification nor a receipt"};
}

result<batch::item> read_item(std::string_view packed) {
  const auto pair = packed_elements(packed);
  if (!pair) return pair.error();
  if (pair->size() != 2) return error{error_code::bad_argument, "expected a number and a parcel"};
  auto number = from_packed<std::uint64_t>((*pair)[0]);
  if (!number) return number.error();
  auto content = read_parcel((*pair)[1]);
  if (!content) return content.error().within(std::to_string(*number));
  return batch::item{*number, *std::move(content)};
}

result<std::vector<batch::item>> read_items(std::string_view packed, std::uint64_t after) {
  const auto list = packed_elements(packed);
  if (!list) return list.error();
  std::vector<batch::item> items;
  items.reserve(list->size());
  for (const auto element : *list) {
    auto item = read_item(element);
    if (!item) return item.error();
    if (item->number <= after) {
      return error{error_code::bad_argument, std::to_string(item->number) + " after " + std::to_string(after)};
    }
    after = item->number;
    items.push_back(*std::move(item));
  }
  return items;
}

}  // namespace

value to_value(const parcel& p) {
  if (const auto* n = std::get_if<notification>(&p)) return value::map{{"notification", n->to_value()}};
  return value::map{{"receipt", std::get<receipt>(p).to_value()}};
}

result<parcel> parcel_from_value(const value& v) { return read_parcel(encode(v)); }

value batch::to_body() const { return *internal::unpack(packed()); }

std::string batch::packed() const {
  std::string out;
  out.reserve(64 + 512 * items.size());
  internal::value_writer form(out);
  form.map(5).member("after", after).member("again", again).member("channel", channel).key("items").list(items.size());
  for (const auto& i : items) {
    form.list(2).put(i.number);
    const auto* n = std::get_if<notification>(&i.content);
    form.map(1).key(n ? "notification" : "receipt");
    if (n)
      n->write(out);
    else
      std::get<receipt>(i.content).write(out);
  }
  form.member("to", to.str());
  return out;
}

result<batch> batch::from_body(const value& body) { return read(encode(body)); }

result<batch> batch::read(std::string_view packed) {
  packed_reader in(packed);
  auto channel = in.required<std::string>("channel");
  auto to = in.required<incarnation>("to");
  auto after = in.required<std::uint64_t>("after");
  auto again = in.required<std::uint64_t>("again");
  const auto list = in.find("items");
  if (!list) in.fail({error_code::bad_argument, "missing"}, "items");
  if (in.failed()) return broken(*in.failed());
  auto items = read_items(*list, *after);
  if (!items) return broken(items.error().within("items"));
  return batch{*std::move(channel), *to, *after, *again, *std::move(items)};
}

value acknowledgement::to_body() const { return value::map{{"channel", channel}, {"upto", upto}}; }

result<acknowledgement> acknowledgement::from_body(const value& body) {
  member_reader in(body);
  auto channel = in.required<std::string>("channel");
  auto upto = in.required<std::uint64_t>("upto");
  if (in.failed()) return broken(*in.failed());
  return acknowledgement{*std::move(channel), *upto};
}

}  // namespace flock

#include "libflock/delivery/wish_keeper.hpp"

#include "libflock/values/packed_reader.hpp"
#include <flock/value_cast.hpp>

#include <string_view>
#include <utility>

namespace flock {

namespace {

constexpr std::string_view prefix = "s/";

result<std::vector<wish>> wishes_in(std::string_view data) {
  const auto list = internal::unpack(data);
  return list ? from_value<std::vector<wish>>(*list) : list.error();
}

}  // namespace

wish_keeper::wish_keeper(std::shared_ptr<mailbox> home, storage& disk, notifier& to, host of)
    : home_(std::move(home)), disk_(disk), notifier_(to), host_(std::move(of)) {}

result<void> wish_keeper::restore() {
  return disk_.read(prefix, [this](std::string_view key, std::string_view data) {
    const auto subscriber = node_id::parse(key.substr(prefix.size()));
    auto wishes = wishes_in(data);
    if (!subscriber || !wishes || !notifier_.wishes_of(*subscriber, *std::move(wishes)))
      host_.warn(std::string(key) + ": the subscriptions kept under this key cannot be read");
  });
}

void wish_keeper::take(const node_id& subscriber, std::vector<wish> wishes, std::function<void(result<void>)> kept) {
  if (auto why = disk_.trouble()) return kept(why->within("the subscriptions cannot be kept"));
  record_change change{std::string(prefix) + subscriber.str(), std::nullopt};
  if (!wishes.empty()) change.data = encode(to_value(wishes));
  const auto news = notifier_.wishes_of(subscriber, std::move(wishes));
  if (!news) return kept(news.error());
  if (!*news) return kept({});
  disk_.write({std::move(change)}, [home = home_, kept = std::move(kept)](const result<void>& written) {
    home->post([kept, written] { kept(written); });
  });
}

void wish_keeper::connected(const node_id& subscriber) {
  if (!notifier_.subscribers().knows(subscriber)) return;
  // When it connects again it is asked again anyway.
  const auto ask_again_soon = [this, subscriber](const result<void>& kept) {
    if (kept || !host_.is_connected(subscriber)) return;
    host_.retry_soon([this, subscriber] { connected(subscriber); });
  };
  host_.ask_wishes(subscriber, [this, subscriber, ask_again_soon](result<std::vector<wish>> wishes) {
    if (!wishes) return ask_again_soon(wishes.error());
    take(subscriber, *std::move(wishes), ask_again_soon);
  });
}

}  // namespace flock

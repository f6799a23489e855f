#include "libflock/delivery/inbox.hpp"
#include "libflock/delivery/outbox.hpp"
#include "tests/support/notifications.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>

namespace {

using namespace flock;
using flock::testing::make_notification;
using flock::testing::node;

const auto sender_id = node("bender0");
const auto receiver_id = node("bender1");
constexpr std::size_t bytes = 200;

/// What a disk does with changes of some state: they become durable in order and late, or never.
template <class State> class disk {
 public:
  using change = std::function<void(State&)>;

  void write(change c, std::function<void()> durable) { waiting_.push_back({std::move(c), std::move(durable)}); }
  bool is_busy() const { return !waiting_.empty(); }
  void step() {
    if (waiting_.empty()) return;
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    first.what(kept_);
    first.durable();
  }
  void crash() { waiting_.clear(); }
  const State& kept() const { return kept_; }

 private:
  struct one {
    change what;
    std::function<void()> durable;
  };
  std::deque<one> waiting_;
  State kept_{};
};

/// One sender and one receiver on a network that loses, repeats and reorders, which no transport of Flock does: the
/// protocol has to hold all the same. A notification's id is its place in the order in which it was submitted.
class schedule {
 public:
  explicit schedule(std::uint64_t seed) : random_(seed) { start_sender(); }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }

  /// Without any more faults, everything arrives.
  void drain() {
    if (!connected_) connect();
    for (int round = 0; round < 10'000 && !is_quiet(); ++round) {
      sender_disk_.step();
      send();
      deliver(frames_.begin());
      receiver_disk_.step();
      deliver_acknowledgement();
      if (is_stuck()) out_->rewind(receiver_id);
    }
  }

  void check() {
    CHECK(out_->depth() == 0);
    for (auto id : accepted_) CHECK(performed_.count(id) == 1);
    for (auto id : withdrawn_) CHECK(performed_.count(id) == 0);
    CHECK(std::is_sorted(first_performed_.begin(), first_performed_.end()));
    CHECK(unmarked_repetitions_ == 0);
    // A mark says that an earlier life may have performed it: there was one.
    if (receiver_crashes_ == 0) CHECK(marks_ == 0);
  }

 private:
  struct sent_state {
    outbox::standing standing;
    std::map<std::uint64_t, int> parcels;
  };

  std::size_t below(std::size_t n) { return random_() % n; }

  void step() {
    switch (below(24)) {
      case 0:
      case 1:
      case 2:
        return submit();
      case 3:
      case 4:
      case 5:
        return sender_disk_.step();
      case 6:
      case 7:
      case 8:
        return send();
      case 9:
      case 10:
      case 11:
      case 12:
        return deliver(frames_.begin());
      case 13:
      case 14:
      case 15:
        return receiver_disk_.step();
      case 16:
      case 17:
        return deliver_acknowledgement();
      case 18:
        return out_->rewind(receiver_id);
      case 19:
        return connected_ ? disconnect() : connect();
      case 20:
        return disturb();
      case 21:
        return withdraw_last();
      case 22:
        if (below(3) == 0) crash_sender();
        return;
      default:
        if (below(3) == 0) crash_receiver();
    }
  }

  void submit() {
    const int id = submitted_++;
    auto number = out_->add(receiver_id, make_notification(std::to_string(id)), bytes);
    waiting_[number] = id;
    write_standing();
    sender_disk_.write([=](sent_state& s) { s.parcels.emplace(number, id); },
                       [=, this] {
                         if (withdrawn_.count(id) == 0) accepted_.insert(id);
                       });
  }

  void withdraw_last() {
    if (waiting_.empty()) return;
    auto [number, id] = *waiting_.rbegin();
    if (!out_->withdraw(receiver_id, number)) return;
    forget(number);
    write_standing();
    withdrawn_.insert(id);
    accepted_.erase(id);
  }

  void forget(std::uint64_t number) {
    waiting_.erase(number);
    sender_disk_.write([=](sent_state& s) { s.parcels.erase(number); }, [] {});
  }

  void write_standing() {
    auto standing = out_->to_store(receiver_id);
    if (!standing) return;
    sender_disk_.write([s = *standing](sent_state& kept) { kept.standing = s; },
                       [this, s = *standing] { out_->stored(receiver_id, s); });
  }

  void send() {
    auto b = out_->next(receiver_id);
    if (!b) return;
    out_->sent(receiver_id, *b);
    frames_.push_back(*b);
  }

  void deliver(std::deque<batch>::iterator which) {
    if (frames_.empty()) return;
    auto b = std::move(*which);
    frames_.erase(which);
    auto taken = in_.receive(sender_id, b);
    if (taken.repeated) acknowledge();
    if (taken.fresh.empty()) return;
    for (const auto& item : taken.fresh) perform(item, item.number <= b.again);
    const auto upto = taken.fresh.back().number;
    receiver_disk_.write([=](std::uint64_t& position) { position = upto; },
                         [=, this] {
                           in_.safe(sender_id, "journal0", upto);
                           acknowledge();
                         });
  }

  void perform(const batch::item& item, bool marked) {
    const int id = std::stoi(std::get<notification>(item.content).id);
    if (performed_.insert(id).second)
      first_performed_.push_back(id);
    else if (!marked)
      ++unmarked_repetitions_;
    if (marked) ++marks_;
  }

  void acknowledge() {
    if (connected_) acknowledgements_.push_back(in_.safe_upto(sender_id, "journal0"));
  }

  void deliver_acknowledgement() {
    if (acknowledgements_.empty()) return;
    for (const auto& item : out_->acknowledge(receiver_id, acknowledgements_.front())) forget(item.number);
    acknowledgements_.pop_front();
  }

  void disturb() {
    if (frames_.empty()) return;
    auto which = frames_.begin() + static_cast<std::ptrdiff_t>(below(frames_.size()));
    switch (below(4)) {
      case 0:
        frames_.erase(which);
        break;
      case 1:
        frames_.push_back(*which);
        break;
      case 2:
        std::swap(frames_.front(), *which);
        break;
      default:
        if (!acknowledgements_.empty()) acknowledgements_.pop_back();
    }
  }

  void connect() {
    connected_ = true;
    out_->connected(receiver_id, incarnation{1, receiver_crashes_ + 1}, "disk1");
    write_standing();
  }

  void disconnect() {
    connected_ = false;
    frames_.clear();
    acknowledgements_.clear();
    out_->disconnected(receiver_id);
    write_standing();
  }

  void start_sender() {
    out_.emplace("journal0", outbox::options{.window = 8, .batch = 3, .bytes = 1 << 20, .reserve = 4});
    waiting_.clear();
    const auto& kept = sender_disk_.kept();
    out_->restore(receiver_id, kept.standing);
    for (auto [number, id] : kept.parcels) {
      out_->restore(receiver_id, number, make_notification(std::to_string(id)), bytes);
      waiting_[number] = id;
      // It comes back if the record of its withdrawal was lost; nobody was promised anything else.
      if (withdrawn_.erase(id) > 0) accepted_.insert(id);
    }
  }

  void crash_sender() {
    sender_disk_.crash();
    connected_ = false;
    frames_.clear();
    acknowledgements_.clear();
    start_sender();
  }

  void crash_receiver() {
    ++receiver_crashes_;
    receiver_disk_.crash();
    if (connected_) disconnect();
    in_ = inbox();
    in_.restore(sender_id, "journal0", receiver_disk_.kept());
  }

  bool is_stuck() const { return frames_.empty() && acknowledgements_.empty() && !receiver_disk_.is_busy(); }
  bool is_quiet() const { return is_stuck() && !sender_disk_.is_busy() && out_->depth() == 0; }

  std::mt19937_64 random_;
  std::optional<outbox> out_;
  inbox in_;
  disk<sent_state> sender_disk_;
  disk<std::uint64_t> receiver_disk_;
  bool connected_ = false;
  std::deque<batch> frames_;
  std::deque<acknowledgement> acknowledgements_;

  int submitted_ = 0;
  std::map<std::uint64_t, int> waiting_;
  std::set<int> accepted_;
  std::set<int> withdrawn_;
  std::set<int> performed_;
  std::vector<int> first_performed_;
  std::uint64_t receiver_crashes_ = 0;
  int unmarked_repetitions_ = 0;
  int marks_ = 0;
};

}  // namespace

TEST_CASE("whatever is lost, repeated, reordered or crashes, what was accepted arrives once and in order") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    schedule s(seed);

    s.run(400);
    s.drain();

    s.check();
  }
}

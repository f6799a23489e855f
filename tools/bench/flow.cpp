#include "tools/bench/flow.hpp"

#include "tools/bench/answerer.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/stage.hpp"
#include "tools/bench/stopwatch.hpp"
#include "tools/bench/tcp_floor.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

// Messages in one write of the batched floor: 64 KiB of 64 bytes, as much as Flock's transport gathers.
constexpr std::size_t batch = 1024;

/// Sends, and asks now and then whether all has been taken, so that no more than `window` messages wait anywhere.
class windowed_sends {
 public:
  windowed_sends(ref<answerer> to, std::size_t bytes, std::size_t window)
      : to_(std::move(to)), text_(bytes, 'x'), stretch_(std::max<std::size_t>(window / (stretches + 1), 1)) {}

  /// Blocks until the last one has been taken.
  result<void> send(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (auto sent = to_.send(&answerer::take, text_); !sent) return sent;
      if ((i + 1) % stretch_ != 0) continue;
      free_.acquire();
      to_.ask(&answerer::taken).then([this](const result<std::int64_t>& answer) {
        if (!answer) fail(answer.error());
        free_.release();
      });
    }
    for (std::ptrdiff_t i = 0; i < stretches; ++i) free_.acquire();
    if (auto last = to_.call(&answerer::taken); !last) return last.error();
    std::lock_guard lock(mutex_);
    return failure_ ? result<void>(*failure_) : result<void>();
  }

 private:
  static constexpr std::ptrdiff_t stretches = 32;

  void fail(const error& why) {
    std::lock_guard lock(mutex_);
    failure_ = why;
  }

  const ref<answerer> to_;
  const std::string text_;
  const std::size_t stretch_;  ///< messages between two questions
  std::counting_semaphore<> free_{stretches};
  std::mutex mutex_;  // guards failure_
  std::optional<error> failure_;
};

struct ends {
  const stage& on;
  ref<answerer> to;
  pid_t receiver;
};

struct flow {
  double per_second = 0;
  double sender_cpu = 0, receiver_cpu = 0;  ///< us per message
  double sender_rss = 0, receiver_rss = 0;
};

result<void> send_all(const ends& e, std::size_t count, std::size_t bytes, std::size_t senders, std::size_t window) {
  const auto before = e.to.call(&answerer::taken);
  if (!before) return before.error();
  std::vector<result<void>> ended(senders);
  {
    std::vector<std::jthread> threads;
    for (auto& each : ended) {
      threads.emplace_back([&, share = count / senders] {
        windowed_sends all(e.to, bytes, std::max<std::size_t>(window / senders, 1));
        each = all.send(share);
      });
    }
  }
  for (const auto& each : ended)
    if (!each) return each.error();
  const auto after = e.to.call(&answerer::taken);
  if (!after) return after.error();
  if (*after - *before != static_cast<std::int64_t>(count))
    return error{error_code::io, std::to_string(*after - *before) + " of " + std::to_string(count) + " were taken"};
  return {};
}

result<flow> measure_flow(const ends& e, std::size_t count, std::size_t bytes, std::size_t senders,
                          std::size_t window) {
  forget_peak_rss(::getpid());
  forget_peak_rss(e.receiver);
  const auto our_before = process_usage::of(::getpid());
  const auto their_before = process_usage::of(e.receiver);
  const stopwatch time;
  auto sent = send_all(e, count, bytes, senders, window);
  const auto seconds = time.seconds();
  const auto ours = process_usage::of(::getpid());
  const auto theirs = process_usage::of(e.receiver);
  if (!sent) return sent.error();
  if (!our_before || !their_before || !ours || !theirs) return error{error_code::io, "cannot read what a process uses"};
  const auto n = static_cast<double>(count);
  return flow{n / seconds, (ours->cpu_us - our_before->cpu_us) / n, (theirs->cpu_us - their_before->cpu_us) / n,
              ours->peak_rss, theirs->peak_rss};
}

result<void> measure(const settings& with, const report& to, const ends& e, std::size_t bytes, std::size_t senders) {
  const auto window = static_cast<std::size_t>(with.number("window"));
  const auto count = static_cast<std::size_t>(with.number("messages")) / senders * senders;
  auto sink = tcp_peer::start("tcp_sink", e.on.log());
  if (!sink) return sink.error();
  auto parameters = with.common();
  parameters.emplace("bytes", bytes);
  parameters.emplace("messages", count);
  parameters.emplace("senders", senders);
  parameters.emplace("window", window);
  measurement rate{"flow",     "messages", "1/s",
                   parameters, {},         {{"one write for each message", {}}, {"1024 messages in one write", {}}}};
  measurement sender_cpu{"flow", "sender_cpu", "us", parameters, {}, {}};
  measurement receiver_cpu{"flow", "receiver_cpu", "us", parameters, {}, {}};
  measurement sender_rss{"flow", "sender_peak_rss", "KiB", parameters, {}, {}};
  measurement receiver_rss{"flow", "receiver_peak_rss", "KiB", parameters, {}, {}};
  if (auto warm = measure_flow(e, std::max(count / 10, senders), bytes, senders, window); !warm) return warm.error();
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto alone = flow_rate(*sink, bytes, count, 1);
    if (!alone) return alone.error();
    // It would be over before it has begun.
    auto together = flow_rate(*sink, bytes, count * 20, batch);
    if (!together) return together.error();
    auto seen = measure_flow(e, count, bytes, senders, window);
    if (!seen) return seen.error();
    rate.repeats.push_back(seen->per_second);
    rate.floors[0].repeats.push_back(*alone);
    rate.floors[1].repeats.push_back(*together);
    sender_cpu.repeats.push_back(seen->sender_cpu);
    receiver_cpu.repeats.push_back(seen->receiver_cpu);
    sender_rss.repeats.push_back(seen->sender_rss);
    receiver_rss.repeats.push_back(seen->receiver_rss);
  }
  for (const auto* m : {&rate, &sender_cpu, &receiver_cpu, &sender_rss, &receiver_rss}) to(*m);
  return {};
}

result<void> run(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  const auto nodes = answering_pair::start(*on, "sending");
  if (!nodes) return nodes.error();
  const ends e{*on, nodes->actor, nodes->process.pid()};
  for (const auto bytes : with.list("bytes"))
    for (const auto senders : with.list("senders"))
      if (auto done = measure(with, to, e, static_cast<std::size_t>(bytes), static_cast<std::size_t>(senders)); !done)
        return on->with_log(done.error());
  return {};
}

}  // namespace

workload flow_workload() {
  return {
      "flow",
      "one-way messages to one actor of another process, until the last one has been taken: how many a second, CPU of "
      "each message at both ends, and the most memory (RSS) that each end needed",
      {{"messages", "2000000", "how many in a repeat"},
       {"bytes", "64", "sizes of a message's text"},
       {"senders", "1,4", "how many threads send"},
       {"window", "9900", "how many may wait; an actor takes 10,000"}},
      run};
}

}  // namespace flock::bench

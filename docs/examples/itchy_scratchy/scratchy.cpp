#include "itchy.hpp"

#include <chrono>
#include <future>
#include <iostream>

// scratchy --id shelbyville --zookeeper 127.0.0.1:2181 --insecure --listen 127.0.0.1:0
int main(int argc, char** argv) {
  std::promise<void> fell;  // outlives the node, whose threads use it
  auto node = flock::node::start(argc, argv);
  auto foe = node.find<itchy>("springfield/itchy");
  if (!foe) return std::cerr << foe.error() << '\n', 1;

  foe->on_down([&fell](const flock::error& why) {
    std::cout << "itchy is down: " << why << std::endl;
    fell.set_value();
  });
  for (int round = 0; round < 6; ++round) {
    auto blow = foe->call(&itchy::fight, 1);
    if (!blow) return std::cerr << blow.error() << '\n', 1;
    std::cout << *blow << std::endl;
  }

  if (fell.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready) return 0;
  return std::cerr << "itchy is still up\n", 1;
}

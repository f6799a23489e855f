#include "itchy.hpp"

#include <iostream>

// itchy --id springfield --zookeeper 127.0.0.1:2181 --insecure --listen 127.0.0.1:0
int main(int argc, char** argv) {
  auto node = flock::node::start(argc, argv);
  if (auto published = node.publish<itchy>("itchy"); !published) return std::cerr << published.error() << '\n', 1;
  std::cout << node.id() << "/itchy waits for calls at " << node.address() << std::endl;
  return node.wait();
}

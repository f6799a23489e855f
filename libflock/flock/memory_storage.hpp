#pragma once

#include <flock/storage.hpp>

#include <map>
#include <string>

namespace flock {

/// A storage that forgets with its process: until the journal is there, and for tests. Calls `durable` before write()
/// returns. Not safe for threads.
class memory_storage final : public storage {
 public:
  explicit memory_storage(std::string id);

  void write(std::vector<record_change> changes, written durable) override;
  result<void> read(std::string_view prefix, const visitor& each) override;
  const std::string& id() const override { return id_; }
  void stop() override {}

 private:
  std::string id_;
  std::map<std::string, std::string, std::less<>> records_;
};

}  // namespace flock

#pragma once

#include "libflock/seams/storage.hpp"

#include <map>
#include <string>
#include <vector>

namespace flock {

/// A storage that forgets with its process: for nodes that keep nothing, and for tests. Calls `durable` before write()
/// returns. Not safe for threads.
class memory_storage final : public storage {
 public:
  explicit memory_storage(std::string id);

  void write(std::vector<record_change> changes, written durable) override;
  result<void> read(std::string_view prefix, const visitor& each) override;
  const std::vector<std::string>& damaged() const override { return damaged_; }
  const std::string& id() const override { return id_; }
  std::optional<error> trouble() const override { return std::nullopt; }
  statistics stats() const override;
  void stop() override {}

 private:
  const std::string id_;
  std::map<std::string, std::string, std::less<>> records_;
  const std::vector<std::string> damaged_;
};

}  // namespace flock

#include "libflock/seams/memory_storage.hpp"

#include "tests/support/storage_contract.hpp"

#include <doctest/doctest.h>

namespace {

class memory_world final : public flock::testing::storage_world {
 public:
  flock::storage& open() override { return storage_; }
  void close() override {}

 private:
  flock::memory_storage storage_{"disk1"};
};

}  // namespace

TEST_CASE("the storage in memory keeps the contract of storages") {
  flock::testing::check_storage_contract<memory_world>();
}

TEST_CASE("a storage in memory has the id that it was given") { CHECK(flock::memory_storage("disk1").id() == "disk1"); }

#include "tests/support/faulty_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <random>
#include <utility>
#include <vector>

namespace flock::testing {

namespace {

constexpr std::int64_t page_size = 4096;  // of Linux's cache
constexpr std::int64_t sector = 512;      // what a disk writes as a whole

constexpr int never = std::numeric_limits<int>::max();

/// Lets some pass, then makes some fail.
struct countdown {
  int after = never;
  int count = 0;

  bool strikes() {
    if (after == never) return false;
    if (after > 0) return --after, false;
    if (--count == 0) after = never;
    return true;
  }
};

/// A page that was written and not synced, or not with success.
struct page {
  std::vector<char> on_disk;
  bool taken_for_written = false;  // a sync that failed has been told; no later one writes it
};

/// What is not on the disk of one file.
struct cached_file {
  std::int64_t size_on_disk = 0;
  std::map<std::int64_t, page> pages;  // by number
  int opened = 0;
};

}  // namespace

struct faulty_disk::inside {
  std::string name;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;

  mutable std::mutex mutex;  // guards what follows
  std::map<std::string, cached_file> files;
  bool is_full = false;
  countdown writes, failing_syncs, power;
  failed_sync how_syncs_fail = failed_sync::stays_in_memory;
  bool is_off = false;
  int operations = 0;
  int syncs = 0;

  /// For each operation that changes something. \returns whether the power is on
  bool goes_on() {
    if (is_off) return false;
    ++operations;
    is_off = power.strikes();
    return !is_off;
  }
  void repair() {
    is_off = is_full = false;
    writes = failing_syncs = power = {};
  }
};

namespace {

using inside = faulty_disk::inside;

/// Behind it in memory is the real file.
struct faulty_file {
  sqlite3_file base;
  inside* disk;
  std::string* path;  // nothing: SQLite's own temporary one

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  cached_file& cached() const { return disk->files.at(*path); }
};

faulty_file& of(sqlite3_file* f) { return *reinterpret_cast<faulty_file*>(f); }
inside& disk_of(sqlite3_vfs* v) { return *static_cast<inside*>(v->pAppData); }

std::int64_t size_of(sqlite3_file* real) {
  sqlite3_int64 size = 0;
  real->pMethods->xFileSize(real, &size);
  return size;
}

std::vector<char> read_page(sqlite3_file* real, std::int64_t number) {
  std::vector<char> bytes(page_size);
  real->pMethods->xRead(real, bytes.data(), page_size, number * page_size);  // SQLite fills up with zeros
  return bytes;
}

/// The bytes from `first` to `last` are about to change.
void make_dirty(faulty_file& f, std::int64_t first, std::int64_t last) {
  for (auto number = first / page_size; number * page_size < last; ++number) {
    auto& pages = f.cached().pages;
    auto known = pages.find(number);
    if (known == pages.end()) known = pages.emplace(number, page{read_page(f.real(), number), false}).first;
    known->second.taken_for_written = false;
  }
}

int close(sqlite3_file* file) {
  auto& f = of(file);
  const int rc = f.real()->pMethods->xClose(f.real());
  std::lock_guard lock(f.disk->mutex);
  if (auto& c = f.cached(); --c.opened == 0 && c.pages.empty()) f.disk->files.erase(*f.path);
  delete f.path;
  return rc;
}

int read(sqlite3_file* file, void* into, int bytes, sqlite3_int64 at) {
  auto& f = of(file);
  std::lock_guard lock(f.disk->mutex);
  if (f.disk->is_off) return SQLITE_IOERR_READ;
  return f.real()->pMethods->xRead(f.real(), into, bytes, at);
}

int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  auto& f = of(file);
  std::lock_guard lock(f.disk->mutex);
  if (f.disk->is_off) return SQLITE_IOERR_WRITE;
  int failure = SQLITE_OK;
  if (!f.disk->goes_on() || f.disk->writes.strikes()) failure = SQLITE_IOERR_WRITE;
  if (f.disk->is_full && at + bytes > size_of(f.real())) failure = SQLITE_FULL;
  if (failure != SQLITE_OK) bytes /= 2;
  if (bytes == 0) return failure;
  make_dirty(f, at, at + bytes);
  const int rc = f.real()->pMethods->xWrite(f.real(), from, bytes, at);
  return failure != SQLITE_OK ? failure : rc;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& f = of(file);
  std::lock_guard lock(f.disk->mutex);
  if (!f.disk->goes_on()) return SQLITE_IOERR_TRUNCATE;
  make_dirty(f, size, size_of(f.real()));
  return f.real()->pMethods->xTruncate(f.real(), size);
}

void fail_sync(faulty_file& f) {
  for (auto& [number, p] : f.cached().pages) {
    p.taken_for_written = true;
    if (f.disk->how_syncs_fail == faulty_disk::failed_sync::is_dropped && number * page_size < size_of(f.real()))
      f.real()->pMethods->xWrite(f.real(), p.on_disk.data(), page_size, number * page_size);
  }
}

int sync(sqlite3_file* file, int) {
  auto& f = of(file);
  std::lock_guard lock(f.disk->mutex);
  if (!f.disk->goes_on()) return SQLITE_IOERR_FSYNC;
  ++f.disk->syncs;
  if (f.disk->failing_syncs.strikes()) return fail_sync(f), SQLITE_IOERR_FSYNC;
  auto& c = f.cached();
  std::erase_if(c.pages, [](const auto& p) { return !p.second.taken_for_written; });
  c.size_on_disk = size_of(f.real());
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return of(file).real()->pMethods->xFileSize(of(file).real(), size);
}
int lock(sqlite3_file* file, int how) { return of(file).real()->pMethods->xLock(of(file).real(), how); }
int unlock(sqlite3_file* file, int how) { return of(file).real()->pMethods->xUnlock(of(file).real(), how); }
int check_reserved_lock(sqlite3_file* file, int* out) {
  return of(file).real()->pMethods->xCheckReservedLock(of(file).real(), out);
}
int file_control(sqlite3_file* file, int what, void* argument) {
  return of(file).real()->pMethods->xFileControl(of(file).real(), what, argument);
}
int sector_size(sqlite3_file*) { return sector; }
int device_characteristics(sqlite3_file* file) {
  return of(file).real()->pMethods->xDeviceCharacteristics(of(file).real());
}

// Version 1: no shared memory and no memory mapping, which would go past it.
constexpr sqlite3_io_methods file_methods{1,
                                          close,
                                          read,
                                          write,
                                          truncate,
                                          sync,
                                          file_size,
                                          lock,
                                          unlock,
                                          check_reserved_lock,
                                          file_control,
                                          sector_size,
                                          device_characteristics};

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  auto& disk = disk_of(vfs);
  auto& f = *new (file) faulty_file{{nullptr}, &disk, nullptr};
  std::lock_guard guard(disk.mutex);
  if (disk.is_off) return SQLITE_CANTOPEN;
  const int rc = disk.real->xOpen(disk.real, name, f.real(), flags, flags_out);
  if (rc != SQLITE_OK) return rc;
  f.path = new std::string(name ? name : "temporary");
  f.base.pMethods = &file_methods;
  auto& c = disk.files[*f.path];
  if (c.opened++ == 0 && c.pages.empty()) c.size_on_disk = size_of(f.real());
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  auto& disk = disk_of(vfs);
  std::lock_guard guard(disk.mutex);
  if (!disk.goes_on()) return SQLITE_IOERR_DELETE;
  disk.files.erase(name);
  return disk.real->xDelete(disk.real, name, sync_folder);
}

int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  auto& disk = disk_of(vfs);
  std::lock_guard guard(disk.mutex);
  if (disk.is_off) return SQLITE_IOERR_ACCESS;
  return disk.real->xAccess(disk.real, name, flags, out);
}

/// Makes a file what is on the disk of it after a loss of power.
void lose_power(const std::string& path, const cached_file& c, std::mt19937_64& random) {
  if (c.pages.empty() || !std::filesystem::exists(path)) return;
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto size = static_cast<std::int64_t>(bytes.size());
  const auto size_left = random() % 2 == 0 ? c.size_on_disk : size;
  bytes.resize(static_cast<std::size_t>(std::max(size, c.size_on_disk)));
  for (const auto& [number, p] : c.pages) {
    const auto start = number * page_size;
    const auto end = std::min(start + page_size, static_cast<std::int64_t>(bytes.size()));
    // All of it got there, or none, or the first sectors; and what was cut off is back if the cut is.
    const bool nothing = p.taken_for_written || start >= size;
    const auto kept = nothing ? 0
                              : std::array<std::int64_t, 3>{
                                    0, page_size, sector * (1 + static_cast<std::int64_t>(random() % 7))}[random() % 3];
    for (auto at = start + kept; at < end; ++at)
      bytes[static_cast<std::size_t>(at)] = p.on_disk[static_cast<std::size_t>(at - start)];
  }
  bytes.resize(static_cast<std::size_t>(size_left));
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string next_name() {
  static std::atomic<int> number{0};
  return "faulty disk " + std::to_string(++number);
}

}  // namespace

faulty_disk::faulty_disk() : in_(std::make_unique<inside>()) {
  in_->name = next_name();
  in_->real = sqlite3_vfs_find(nullptr);
  in_->vfs = *in_->real;  // time, randomness, full path names: those of the real one
  in_->vfs.iVersion = 1;
  in_->vfs.szOsFile = static_cast<int>(sizeof(faulty_file)) + in_->real->szOsFile;
  in_->vfs.zName = in_->name.c_str();
  in_->vfs.pAppData = in_.get();
  in_->vfs.pNext = nullptr;
  in_->vfs.xOpen = open;
  in_->vfs.xDelete = remove;
  in_->vfs.xAccess = access;
  sqlite3_vfs_register(&in_->vfs, 0);
}

faulty_disk::~faulty_disk() { sqlite3_vfs_unregister(&in_->vfs); }

const std::string& faulty_disk::vfs() const { return in_->name; }

void faulty_disk::fill(bool yes) {
  std::lock_guard lock(in_->mutex);
  in_->is_full = yes;
}

void faulty_disk::fail_writes(int after, int count) {
  std::lock_guard lock(in_->mutex);
  in_->writes = {after, count};
}

void faulty_disk::fail_syncs(int after, int count, failed_sync how) {
  std::lock_guard lock(in_->mutex);
  in_->failing_syncs = {after, count};
  in_->how_syncs_fail = how;
}

void faulty_disk::cut_power(int after) {
  std::lock_guard lock(in_->mutex);
  in_->power = {after, 1};
  if (after == 0) in_->is_off = true;
}

bool faulty_disk::has_power() const {
  std::lock_guard lock(in_->mutex);
  return !in_->is_off;
}

void faulty_disk::restore_power(std::uint64_t seed) {
  std::lock_guard lock(in_->mutex);
  std::mt19937_64 random(seed);
  for (const auto& [path, c] : in_->files) {
    assert(c.opened == 0);
    lose_power(path, c, random);
  }
  in_->files.clear();
  in_->repair();
}

void faulty_disk::restart_process() {
  std::lock_guard lock(in_->mutex);
  in_->repair();
}

int faulty_disk::operations() const {
  std::lock_guard lock(in_->mutex);
  return in_->operations;
}

int faulty_disk::syncs() const {
  std::lock_guard lock(in_->mutex);
  return in_->syncs;
}

}  // namespace flock::testing

#include "libflock/sqlite/gathering_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>

namespace flock::internal {

struct gathering_vfs::inside {
  std::string name;
  sqlite3_vfs* base;
  sqlite3_vfs vfs;
};

namespace {

// SQLite's unix VFS takes less than 128 KiB in one write.
constexpr std::size_t most = 0x1ffff;

/// Bytes that belong to one place of the log and are not written yet.
struct gathered {
  std::string bytes;
  sqlite3_int64 at = 0;
  sqlite3_int64 size = 0;  ///< of the file; less if somebody else made it longer

  sqlite3_int64 end() const { return at + static_cast<sqlite3_int64>(bytes.size()); }
};

/// A log. Behind it in memory is the file of the base.
struct log_file {
  sqlite3_file opened;
  gathered* waiting;

  sqlite3_file* base() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods& ways() { return *base()->pMethods; }
};
static_assert(sizeof(log_file) % alignof(std::max_align_t) == 0);

log_file& of(sqlite3_file* f) { return *reinterpret_cast<log_file*>(f); }

/// Behind what was just written. That there is none is no error: the log grows then as it would without.
void make_room(log_file& f, sqlite3_int64 end) {
  const auto room = std::min(end, static_cast<sqlite3_int64>(most));
  const std::string zeros(static_cast<std::size_t>(room), '\0');  // not kept: it is seldom, and there are many nodes
  const int rc = f.ways().xWrite(f.base(), zeros.data(), static_cast<int>(room), end);
  f.waiting->size = rc == SQLITE_OK ? end + room : end;
  if (rc != SQLITE_OK) f.ways().xTruncate(f.base(), end);
}

int write_gathered(log_file& f) {
  auto& w = *f.waiting;
  if (w.bytes.empty()) return SQLITE_OK;
  const auto end = w.end();
  const int rc = f.ways().xWrite(f.base(), w.bytes.data(), static_cast<int>(w.bytes.size()), w.at);
  if (rc == SQLITE_OK && end > w.size) make_room(f, end);
  w.bytes.clear();
  return rc;
}

int close(sqlite3_file* file) {
  auto& f = of(file);
  const int written = write_gathered(f);
  const int rc = f.ways().xClose(f.base());
  delete f.waiting;
  return written != SQLITE_OK ? written : rc;
}

int read(sqlite3_file* file, void* into, int bytes, sqlite3_int64 at) {
  auto& f = of(file);
  if (int rc = write_gathered(f); rc != SQLITE_OK) return rc;
  return f.ways().xRead(f.base(), into, bytes, at);
}

int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  auto& f = of(file);
  auto& w = *f.waiting;
  const auto size = static_cast<std::size_t>(bytes);
  // A page that changed again in the same commit.
  if (at >= w.at && at + bytes <= w.end()) {
    std::memcpy(w.bytes.data() + (at - w.at), from, size);
    return SQLITE_OK;
  }
  if (at != w.end() || w.bytes.size() + size > most)
    if (int rc = write_gathered(f); rc != SQLITE_OK) return rc;
  if (size > most) return f.ways().xWrite(f.base(), from, bytes, at);
  if (w.bytes.empty()) w.at = at;
  w.bytes.append(static_cast<const char*>(from), size);
  return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& f = of(file);
  if (int rc = write_gathered(f); rc != SQLITE_OK) return rc;
  f.waiting->size = std::min(f.waiting->size, size);
  return f.ways().xTruncate(f.base(), size);
}

int sync(sqlite3_file* file, int how) {
  auto& f = of(file);
  if (int rc = write_gathered(f); rc != SQLITE_OK) return rc;
  return f.ways().xSync(f.base(), how);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  auto& f = of(file);
  if (int rc = write_gathered(f); rc != SQLITE_OK) return rc;
  return f.ways().xFileSize(f.base(), size);
}

int lock(sqlite3_file* file, int how) { return of(file).ways().xLock(of(file).base(), how); }
int unlock(sqlite3_file* file, int how) { return of(file).ways().xUnlock(of(file).base(), how); }
int check_reserved_lock(sqlite3_file* file, int* out) {
  return of(file).ways().xCheckReservedLock(of(file).base(), out);
}
int file_control(sqlite3_file* file, int what, void* argument) {
  return of(file).ways().xFileControl(of(file).base(), what, argument);
}
int sector_size(sqlite3_file* file) { return of(file).ways().xSectorSize(of(file).base()); }
int device_characteristics(sqlite3_file* file) { return of(file).ways().xDeviceCharacteristics(of(file).base()); }

// Version 1: a log is neither shared memory nor mapped.
constexpr sqlite3_io_methods log_methods{1,
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
  auto& base = *static_cast<sqlite3_vfs*>(vfs->pAppData);
  if ((flags & SQLITE_OPEN_WAL) == 0) return base.xOpen(&base, name, file, flags, flags_out);
  auto& f = *new (file) log_file{{nullptr}, nullptr};
  if (int rc = base.xOpen(&base, name, f.base(), flags, flags_out); rc != SQLITE_OK) return rc;
  f.waiting = new gathered;
  f.ways().xFileSize(f.base(), &f.waiting->size);
  f.opened.pMethods = &log_methods;
  return SQLITE_OK;
}

// What else there is is asked of the base, which may know itself only by its own address.
int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  auto& base = *static_cast<sqlite3_vfs*>(vfs->pAppData);
  return base.xDelete(&base, name, sync_folder);
}
int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  auto& base = *static_cast<sqlite3_vfs*>(vfs->pAppData);
  return base.xAccess(&base, name, flags, out);
}
int last_error(sqlite3_vfs* vfs, int size, char* into) {
  auto& base = *static_cast<sqlite3_vfs*>(vfs->pAppData);
  return base.xGetLastError(&base, size, into);
}

std::string next_name() {
  static std::atomic<int> number{0};
  return "gathering " + std::to_string(++number);
}

}  // namespace

gathering_vfs::gathering_vfs(const std::string& base) : in_(std::make_unique<inside>()) {
  sqlite3_initialize();
  in_->base = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  if (in_->base == nullptr) return;
  in_->name = next_name();
  in_->vfs = *in_->base;  // time, randomness, full path names: those of the base
  in_->vfs.szOsFile += static_cast<int>(sizeof(log_file));
  in_->vfs.zName = in_->name.c_str();
  in_->vfs.pAppData = in_->base;
  in_->vfs.pNext = nullptr;
  in_->vfs.xOpen = open;
  in_->vfs.xDelete = remove;
  in_->vfs.xAccess = access;
  in_->vfs.xGetLastError = last_error;
  sqlite3_vfs_register(&in_->vfs, 0);
}

gathering_vfs::~gathering_vfs() {
  if (in_->base != nullptr) sqlite3_vfs_unregister(&in_->vfs);
}

const char* gathering_vfs::name() const { return in_->base == nullptr ? nullptr : in_->name.c_str(); }

}  // namespace flock::internal

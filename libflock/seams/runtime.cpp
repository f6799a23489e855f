#include "libflock/seams/runtime.hpp"

namespace flock {

namespace {

thread_local mailbox* current = nullptr;

}  // namespace

mailbox* current_mailbox() { return current; }

bool mailbox::has_turn() const { return current == this; }

turn::turn(mailbox& whose) : before_(current) { current = &whose; }

turn::~turn() { current = before_; }

}  // namespace flock

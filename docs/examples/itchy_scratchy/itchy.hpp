#pragma once

#include <flock/flock.hpp>

#include <string>

/// Any class can be an actor: it handles one message at a time, so it needs no locks.
class itchy {
 public:
  std::string fight(int n) { return (blows_ += n) % 6 < 3 ? "Bite!" : "Fight!"; }

  template <class Api> static void describe(Api& api) { api.method("fight", &itchy::fight); }

 private:
  int blows_ = 0;
};

// SPDX-License-Identifier: MIT
// The cgroup of a login: the scope that logind made for it. Killed as a whole, which nothing in it outruns.
#pragma once

#include "core/use.h"

namespace jit {

// Kills everything in the scope that the login's leader (a pidfd; -1: it has gone) is in, if it is one of its
// own: made by logind for that account after the login registered. A sudo or su is in the scope of the login
// that it was typed in, and that isn't touched.
void kill_login_scope(const Use& use, int leader);

} // namespace jit

// SPDX-License-Identifier: MIT
// When something was last used, by the clock that nobody sets, from marks that are of the one that root may
// set: a terminal's times, a time in the database. Pure, like decide.h.
#pragma once

#include "core/time.h"

#include <optional>

namespace jit {

class LastUse {
public:
    // Used at `since`; nothing is known of the time after that. `wall`: the marks' clock, now.
    LastUse(BootTime since, Time wall, BootTime now);

    // A look at the mark, which says when it was last used. Where that has changed it was used between the
    // last look and this: when, is what the mark says, and now where its clock was set meanwhile.
    void look(Time mark, Time wall, BootTime now);
    // The same, of a mark that has changed by what we ourselves did.
    void pass_over(Time mark) { mark_ = mark; }
    // It is in use.
    void used(BootTime now);

    [[nodiscard]] BootTime at() const { return at_; }

private:
    BootTime at_;
    BootTime looked_;
    std::optional<Time> mark_;
    Millis ahead_; // the wall clock, of the boot clock, at the last look
};

} // namespace jit

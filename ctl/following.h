// SPDX-License-Identifier: MIT
// A stream of replies that goes on where jitd is restarted meanwhile.
#pragma once

#include "ctl/verbs.h"

#include <functional>
#include <string_view>

namespace jit {

struct Following {
    std::string_view method;
    Json parameters = Json::object();
    std::function<bool(const Json&)> take; // false: no more is wanted
    const Meanwhile* meanwhile = nullptr;
    std::function<void()> lost = [] {}; // jitd has gone away; it is asked again from now on
    bool patient = false;               // for ever, else for ten seconds
};

// Until no more is wanted. An error where jitd refuses, was never there or stays away, and at Ctrl-C.
[[nodiscard]] Outcome<void> follow(const Context& context, const Interrupt& interrupt,
                                   const Following& following);

} // namespace jit

// SPDX-License-Identifier: MIT
// What needs no rights is done without them: lists, questions and waiting are jitctl's.
//
// MUST:
//  1. Every id is given up for good, verified, before anything else of the caller's is given back.
#pragma once

#include "helper/options.h"
#include "helper/sanitise.h"

#include <string>
#include <vector>

namespace jit {

// What -l becomes: the words for jitctl.
[[nodiscard]] std::vector<std::string> list_words(const Options& options);

// What a denial becomes, where `offers` (JSON from jitd) says which roles would allow it: jitctl asks, waits,
// and executes this program anew with `words`, its own from argv[1] on.
[[nodiscard]] std::vector<std::string> ask_words(const Options& options, const std::string& offers,
                                                 const std::vector<std::string>& words);

// Whether it is that jitctl which has executed this program. Only that no question is put twice rests on it.
[[nodiscard]] bool asked_before(const Caller& caller);

// Turns this process into jitctl, as the caller and with all that was theirs. Comes back only where that
// fails, with the exit status.
[[nodiscard]] int become_jitctl(const Caller& caller, const std::vector<std::string>& words);

} // namespace jit

// SPDX-License-Identifier: MIT
// Errors are values. Every fallible function returns Result<T>; the message says what was wrong, why,
// and, where there is one, what to do next. No exception leaves a function that returns Result.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace jit {

// What a caller can do about it. jitctl's exit codes (ctl/exit_codes.h) are made from these.
enum class Errc {
    refused,     // the answer is no: policy, missing rights, a lock
    invalid,     // the input can't be meant: malformed, out of range, unknown name
    not_found,   // no such request, role, person
    conflict,    // right in itself, but not in this state ("already ended")
    exhausted,   // a bound was reached; try again later
    unavailable, // something needed does not answer: jitd, NSS, the database
    internal,    // ours to mend
};

struct Error {
    Errc code = Errc::internal;
    std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string message) {
    return std::unexpected(Error{code, std::move(message)});
}

} // namespace jit

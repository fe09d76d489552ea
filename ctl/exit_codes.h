// SPDX-License-Identifier: MIT
// How jitctl ends. Scripts rely on these: they never change their meaning (also listed in jitctl(1)).
#pragma once

#include "core/error.h"

#include <expected>
#include <string>
#include <utility>

namespace jit {

enum class Exit {
    done = 0,
    refused = 1,     // the answer is no; also: a request that was waited for was denied
    usage = 2,       // what was typed can't be meant
    not_found = 3,   // no such request
    unreachable = 4, // jitd does not answer
    undecided = 5, // a request that was waited for timed out or was cancelled; or its state doesn't allow it
    policy_broken = 6, // the policy has errors
    exhausted = 7,     // a bound was reached: try again later
    internal = 8,      // jitd, its database or the output failed
    interrupted = 130, // main() dies of the SIGINT that was caught, so that a calling script stops too
};

// Why a verb did not do its work. `kind` is the word in {"error": kind} with --json. Without a message
// nothing is said.
struct Failure {
    Exit exit = Exit::internal;
    std::string kind;
    std::string message;
};

template <class T>
using Outcome = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> usage_failure(std::string message) {
    return std::unexpected(Failure{Exit::usage, "usage", std::move(message)});
}
[[nodiscard]] inline std::unexpected<Failure> unreachable(std::string message) {
    return std::unexpected(Failure{Exit::unreachable, "unreachable", std::move(message)});
}
[[nodiscard]] inline std::unexpected<Failure> internal_failure(std::string message) {
    return std::unexpected(Failure{Exit::internal, "internal", std::move(message)});
}

[[nodiscard]] inline std::unexpected<Failure> interrupted() {
    return std::unexpected(Failure{Exit::interrupted, "interrupted", {}});
}

// Where a script asks whether it may: as sudo has it, whatever is in the way, the status is 1.
[[nodiscard]] inline std::unexpected<Failure> no(Failure failure, bool asked_whether) {
    failure.exit = asked_whether ? Exit::refused : failure.exit;
    return std::unexpected(std::move(failure));
}

// An error of core's: of reading a file or the database on this side of the socket.
[[nodiscard]] inline Failure failure_of(const Error& error) {
    switch (error.code) {
    case Errc::refused:
        return {Exit::refused, "refused", error.message};
    case Errc::invalid:
        return {Exit::usage, "invalid", error.message};
    case Errc::not_found:
        return {Exit::not_found, "not-found", error.message};
    case Errc::conflict:
        return {Exit::undecided, "conflict", error.message};
    case Errc::exhausted:
        return {Exit::exhausted, "exhausted", error.message};
    case Errc::unavailable:
        return {Exit::internal, "unavailable", error.message};
    case Errc::internal:
        break;
    }
    return {Exit::internal, "internal", error.message};
}

} // namespace jit

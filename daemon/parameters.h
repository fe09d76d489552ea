// SPDX-License-Identifier: MIT
// The parameters of a call, read strictly: each of its type and size, and none that the method doesn't have.
#pragma once

#include "core/error.h"
#include "core/json.h"
#include "core/time.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace jit {

// Collects the first error; done() tells it, and also names parameters that nobody asked for.
class Parameters {
public:
    explicit Parameters(const Json& json) : json_(json) {}

    std::string text(const char* name); // required
    std::optional<std::string> optional_text(const char* name);
    std::vector<std::string> texts(const char* name); // absent: empty
    std::optional<std::int64_t> optional_number(const char* name);
    std::optional<Millis> optional_duration(const char* name); // more than nothing, at most longest_duration
    bool flag(const char* name);                               // absent: false

    // The name of the parameter that is wrong or unknown.
    [[nodiscard]] std::optional<std::string> wrong() const;

private:
    const Json* value(const char* name); // nullptr: absent
    void reject(const char* name);

    const Json& json_;
    std::set<std::string, std::less<>> known_;
    std::optional<std::string> wrong_;
};

} // namespace jit

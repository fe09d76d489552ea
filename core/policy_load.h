// SPDX-License-Identifier: MIT
// Reading the policy from TOML (https://toml.io, 1.0). One run shows all problems, not only the first.
#pragma once

#include "core/policy.h"

#include <optional>
#include <string>
#include <vector>

namespace jit {

struct Problem {
    enum class Severity { error, warning };
    Severity severity = Severity::error;
    Where where;
    std::string key; // "role.web-ops.max"; empty where the file itself is meant
    std::string message;
    [[nodiscard]] std::string text() const; // "policy.toml:12: role.web-ops.max: …", one line, escaped
};

struct PolicySource {
    std::string name; // for messages: the path
    std::string text;
};

struct LoadedPolicy {
    std::optional<Policy> policy;      // none where there was an error
    std::vector<Problem> problems;     // in the order of the sources, from top to bottom
    std::vector<PolicySource> sources; // what was read
};

// Several sources are one policy; a table (role.x, person.y, site …) may be written in one of them only. A
// source is at most 1 MiB.
[[nodiscard]] LoadedPolicy parse_policy(const std::vector<PolicySource>& sources);

// Whom the files must belong to. jitd and `jitctl policy check` without a file demand root; a draft of one's
// own may be checked anywhere.
enum class Ownership { root_only, anyone };

// DIRECTORY/policy.toml, then DIRECTORY/policy.d/*.toml in byte order of their names. With root_only each
// file and directory must belong to root, not be writable by others or the group, and not be a symlink
// (opened with O_NOFOLLOW, judged on the descriptor). Other files in policy.d are warned about. At most 256
// files. Warned about too: commands in a directory that is a link on this host, which jit-sudo never runs.
[[nodiscard]] LoadedPolicy load_policy(const std::string& directory, Ownership ownership);
[[nodiscard]] LoadedPolicy load_policy_file(const std::string& path, Ownership ownership);

// The path of a command as jit-sudo goes by it: links to its directory are followed, the file is what was
// named. As it is where the directory can't be told.
[[nodiscard]] std::string in_real_directory(const std::string& path);

} // namespace jit

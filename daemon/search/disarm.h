// SPDX-License-Identifier: MIT
// Takes a set-id file's bits away, and has it written down first: whoever searches again after a crash would
// find nothing any more.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "daemon/search_protocol.h"

#include <map>
#include <set>
#include <string>
#include <sys/stat.h>

namespace jit {

[[nodiscard]] std::string described(const struct stat& file, const std::string& path);

// What a file is, by a descriptor that opens nothing (O_PATH): its owner may hold a lease on it, which an
// open would wait for.
[[nodiscard]] Result<void> disarm(int place);

// The file systems in which something was disarmed. That it was is recorded for good, and so it mustn't be
// undone by a power cut: they are synced first. By a directory, for the reason above, and each of them once.
class Disarmed {
public:
    // `directory`: one on the file's own file system, open for reading.
    void add(int directory, dev_t file_system);
    [[nodiscard]] Result<void> make_last();

private:
    std::map<dev_t, Fd> file_systems_;
};

// What was disarmed for a grant, whether this search lives to tell or not.
class DisarmNote {
public:
    explicit DisarmNote(const RequestId& grant, std::string directory = {});

    struct Entry {
        std::string name;
        Uid setuid = no_uid; // none: it was setgid
        auto operator<=>(const Entry&) const = default;
    };
    // By a search before this one.
    [[nodiscard]] const std::set<Entry>& before() const { return before_; }
    [[nodiscard]] Result<void> add(const Entry& entry);

private:
    std::string path_;
    std::set<Entry> before_;
};

} // namespace jit

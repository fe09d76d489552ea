// SPDX-License-Identifier: MIT
// What a piece of code does to the files below a directory, one system call after another (ptrace(2)): what
// is written, named, renamed, removed and synced, and in which order. tests/unit/power_disk.h makes of it
// what a power cut can leave.
//
// The work runs in a process of its own, its children too. A call that changes files in a way that isn't
// known here is a problem, never passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jit::power {

struct Change {
    enum class What {
        create,         // name, node: a file without content
        make_directory, // name
        link,           // name: a symbolic link to data
        write,          // node, offset, data
        size,           // node, offset: cut or grown to so many bytes
        mode,           // node, offset: its permissions
        rename,         // name to new_name
        remove,         // name: a file, or an empty directory
        sync,           // node, or name where it is a directory
        sync_all,       // the file system
        mark,           // data: said by the work itself
    };
    What what;
    std::uint64_t node = 0;
    std::string name = {}; // names are below the directory, without a slash before them; "": it
    std::string new_name = {};
    std::uint64_t offset = 0;
    std::string data = {};
};

struct Recording {
    std::vector<Change> changes;       // first what was there before, synced
    std::size_t before = 0;            // so many of those
    std::vector<std::string> problems; // none, if the recording is of any use
};

// `work` returns whether all went as it should. What its files named NAME-shm hold isn't recorded: SQLite
// shares memory by them, and takes nothing from them after a boot.
[[nodiscard]] Recording record(const std::string& directory, const std::function<bool()>& work);

// For use in the work.
void mark(std::string_view text);

} // namespace jit::power

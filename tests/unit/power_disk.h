// SPDX-License-Identifier: MIT
// What a disk holds after a power cut, by what was done to it until then (power_record.h):
//
//  1. What was synced is there: a file's content and mode by a sync of the file, its name by one of the
//     directory.
//  2. What wasn't is there or not, each change by itself, whatever came first; of a write, each sector by
//     itself.
//  3. Nothing else changes: a sector that is written anew holds the old or the new (SQLite's powersafe
//     overwrite, which it takes for granted too).
//
// That is less than any file system with a journal promises.
#pragma once

#include "power_record.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace jit::power {

class Disk {
public:
    // `sectors`: which of the written ones are there, the first of them first; none: all.
    void apply(const Change& change, const std::vector<bool>* sectors = nullptr);
    // Makes a directory as it is. A database's NAME-shm gets nonsense in it.
    void lay(const std::string& directory) const;
    // A file's content; none: it isn't there.
    [[nodiscard]] std::optional<std::string> read(const std::string& name) const;
    [[nodiscard]] std::optional<std::uint32_t> mode(const std::string& name) const;
    [[nodiscard]] std::size_t digest() const;

private:
    struct File {
        std::string bytes;      // what follows, to the size, is zeros
        std::uint64_t size = 0; // never less than that of the bytes
        std::uint32_t mode = 0600;
    };
    struct Entry {
        enum class Kind { file, directory, link } kind = Kind::file;
        std::uint64_t node = 0;
        std::string target = {};
    };
    static void write(File& file, std::uint64_t offset, std::string_view bytes);
    // What is in a directory that isn't there, isn't there.
    [[nodiscard]] const Entry* find(const std::string& name) const;

    std::map<std::uint64_t, File> files_;
    std::map<std::string, Entry> names_;
};

struct Cut {
    const Disk& disk;
    std::size_t begun;             // so many changes had been begun
    std::vector<std::string> told; // the marks until then
    std::string how;               // for who reads of a failure
};

struct Cuts {
    int random = 3; // for each moment, so many at random besides those that are always tried
};

// Calls `look` with each disk that differs, or of which more was told, until it returns false. How many those
// were.
std::size_t for_each_cut(const Recording& recording, const Cuts& cuts,
                         const std::function<bool(const Cut&)>& look);

// Only the process was killed: all is there that was done until then.
std::size_t for_each_kill(const Recording& recording, const std::function<bool(const Cut&)>& look);

} // namespace jit::power

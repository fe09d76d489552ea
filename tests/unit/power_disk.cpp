// SPDX-License-Identifier: MIT
#include "power_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace jit::power {
namespace {

using What = Change::What;

constexpr std::uint64_t sector = 512;

std::string parent_of(const std::string& name) {
    const auto slash = name.rfind('/');
    return slash == std::string::npos ? "" : name.substr(0, slash);
}

bool is_of_content(const Change& change) {
    return change.what == What::write || change.what == What::size || change.what == What::mode;
}

// Whether a sync makes the change last.
bool settles(const Change& sync, const Change& change) {
    if (sync.what == What::sync_all) {
        return true;
    }
    if (is_of_content(change)) {
        return sync.node == change.node;
    }
    return sync.node == 0 &&
           sync.name == parent_of(change.what == What::rename ? change.new_name : change.name);
}

std::size_t sectors_of(const Change& write) {
    return write.data.empty() ? 0
                              : (write.offset + write.data.size() - 1) / sector - write.offset / sector + 1;
}

} // namespace

void Disk::write(File& file, std::uint64_t offset, std::string_view bytes) {
    const std::uint64_t end = offset + bytes.size();
    if (file.bytes.size() < end) {
        file.bytes.resize(end, '\0');
    }
    file.size = std::max(file.size, end);
    file.bytes.replace(offset, bytes.size(), bytes);
}

void Disk::apply(const Change& change, const std::vector<bool>* sectors) {
    switch (change.what) {
    case What::create:
        names_.insert_or_assign(change.name, Entry{.node = change.node});
        files_.try_emplace(change.node);
        break;
    case What::make_directory:
        names_.insert_or_assign(change.name, Entry{.kind = Entry::Kind::directory});
        break;
    case What::link:
        names_.insert_or_assign(change.name, Entry{.kind = Entry::Kind::link, .target = change.data});
        break;
    case What::write: {
        File& file = files_[change.node];
        if (sectors == nullptr) {
            return write(file, change.offset, change.data);
        }
        for (std::size_t at = 0, number = 0; at < change.data.size(); ++number) {
            const std::size_t size =
                std::min<std::size_t>(sector - (change.offset + at) % sector, change.data.size() - at);
            if ((*sectors)[number]) {
                write(file, change.offset + at, std::string_view(change.data).substr(at, size));
            }
            at += size;
        }
        break;
    }
    case What::size: {
        File& file = files_[change.node];
        file.size = change.offset;
        file.bytes.resize(std::min<std::uint64_t>(file.bytes.size(), file.size));
        break;
    }
    case What::mode:
        files_[change.node].mode = static_cast<std::uint32_t>(change.offset);
        break;
    case What::rename:
        // Not, where what made the name isn't there.
        if (auto entry = names_.extract(change.name)) {
            names_.insert_or_assign(change.new_name, entry.mapped());
        }
        break;
    case What::remove:
        names_.erase(change.name);
        break;
    case What::sync:
    case What::sync_all:
    case What::mark:
        break;
    }
}

const Disk::Entry* Disk::find(const std::string& name) const {
    const auto entry = names_.find(name);
    if (entry == names_.end()) {
        return nullptr;
    }
    const std::string parent = parent_of(name);
    return parent.empty() || find(parent) != nullptr ? &entry->second : nullptr;
}

void Disk::lay(const std::string& directory) const {
    mkdir(directory.c_str(), 0700);
    for (const auto& [name, entry] : names_) { // directories come before what is in them
        const std::string path = directory + "/" + name;
        if (find(name) == nullptr) {
            continue;
        }
        if (entry.kind == Entry::Kind::directory) {
            mkdir(path.c_str(), 0700);
            continue;
        }
        if (entry.kind == Entry::Kind::link) {
            std::filesystem::create_symlink(entry.target, path);
            continue;
        }
        const File& file = files_.at(entry.node);
        const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        const std::string nonsense = name.ends_with("-shm") ? std::string(32768, '\x5a') : std::string();
        const std::string& bytes = nonsense.empty() ? file.bytes : nonsense;
        if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
            ftruncate(fd, static_cast<off_t>(std::max<std::uint64_t>(file.size, bytes.size()))) != 0 ||
            fchmod(fd, file.mode) != 0) {
            std::abort(); // no place for the test
        }
        close(fd);
    }
}

std::optional<std::string> Disk::read(const std::string& name) const {
    const Entry* entry = find(name);
    if (entry == nullptr || entry->kind != Entry::Kind::file) {
        return std::nullopt;
    }
    const File& file = files_.at(entry->node);
    std::string content = file.bytes;
    content.resize(file.size, '\0');
    return content;
}

std::optional<std::uint32_t> Disk::mode(const std::string& name) const {
    const Entry* entry = find(name);
    return entry != nullptr && entry->kind == Entry::Kind::file ? std::optional(files_.at(entry->node).mode)
                                                                : std::nullopt;
}

std::size_t Disk::digest() const {
    std::size_t digest = 0;
    const auto mix = [&](std::size_t value) { digest = digest * 1'099'511'628'211U + value; };
    for (const auto& [name, entry] : names_) {
        if (find(name) == nullptr) {
            continue;
        }
        mix(std::hash<std::string>()(name));
        mix(static_cast<std::size_t>(entry.kind));
        mix(std::hash<std::string>()(entry.target));
        if (entry.kind == Entry::Kind::file) {
            const File& file = files_.at(entry.node);
            mix(std::hash<std::string>()(file.bytes));
            mix(file.size);
            mix(file.mode);
        }
    }
    return digest;
}

namespace {

// Which of the changes that aren't synced are there: all of one, none, or some of its sectors.
using Kept = std::vector<std::vector<bool>>;

class Cutter {
public:
    Cutter(const Recording& recording, const Cuts& cuts, const std::function<bool(const Cut&)>& look)
        : recording_(recording), cuts_(cuts), look_(look) {}

    std::size_t run() {
        for (std::size_t begun = 0; begun <= recording_.changes.size() && going_on_; ++begun) {
            if (begun >= recording_.before) {
                at(begun);
            }
            if (begun < recording_.changes.size()) {
                take(recording_.changes[begun]);
            }
        }
        return looked_;
    }

private:
    void take(const Change& change) {
        if (change.what == What::mark) {
            told_.push_back(change.data);
        } else if (change.what == What::sync || change.what == What::sync_all) {
            const auto lasts = [&](const Change* one) { return settles(change, *one); };
            for (const Change* one : pending_) {
                if (lasts(one)) {
                    base_.apply(*one);
                }
            }
            std::erase_if(pending_, lasts);
        } else {
            pending_.push_back(&change);
        }
    }

    // A change is there or not, but a write by its sectors.
    static std::vector<bool> all_of(const Change& change, bool there) {
        return std::vector<bool>(change.what == What::write ? sectors_of(change) : 1, there);
    }
    Kept all(bool there) const {
        Kept kept;
        for (const Change* one : pending_) {
            kept.push_back(all_of(*one, there));
        }
        return kept;
    }

    void at(std::size_t begun) {
        look(begun, all(true), "all is there");
        look(begun, all(false), "what wasn't synced isn't there");
        if (pending_.empty()) {
            return;
        }
        const std::size_t last = all_of(*pending_.back(), true).size();
        if (last == 0) {
            return;
        }
        for (const std::size_t there : std::set<std::size_t>{1, last / 2, last - 1}) {
            Kept kept = all(true);
            std::fill(kept.back().begin() + static_cast<std::ptrdiff_t>(there), kept.back().end(), false);
            look(begun, kept, fmt::format("of the last change {} sectors of {}", there, last));
        }
        if (last > 1) {
            Kept kept = all(true);
            kept.back().front() = false;
            look(begun, kept, "of the last change all but the first sector");
        }
        for (int tries = 0; tries < cuts_.random; ++tries) {
            Kept kept;
            std::string how = fmt::format("at random ({}): ", tries);
            for (const Change* one : pending_) {
                // Mostly whole: what is lost in the middle of much that isn't is the harder case.
                const auto dice = random_() % 4;
                std::vector<bool> there = all_of(*one, dice != 0);
                if (dice == 1) {
                    for (std::size_t sector_number = 0; sector_number < there.size(); ++sector_number) {
                        there[sector_number] = random_() % 2 == 0;
                    }
                }
                how += dice == 0 ? '0' : dice == 1 ? '?' : '1';
                kept.push_back(std::move(there));
            }
            look(begun, kept, how);
        }
    }

    void look(std::size_t begun, const Kept& kept, std::string how) {
        if (!going_on_) {
            return;
        }
        Disk disk = base_;
        for (std::size_t index = 0; index < pending_.size(); ++index) {
            if (std::ranges::find(kept[index], true) != kept[index].end()) {
                disk.apply(*pending_[index], pending_[index]->what == What::write ? &kept[index] : nullptr);
            }
        }
        if (seen_.emplace(disk.digest(), told_.size()).second) {
            ++looked_;
            going_on_ = look_(
                {.disk = disk,
                 .begun = begun,
                 .told = told_,
                 .how = fmt::format("cut after change {} of {}, {}", begun, recording_.changes.size(), how)});
        }
    }

    const Recording& recording_;
    const Cuts& cuts_;
    const std::function<bool(const Cut&)>& look_;
    Disk base_; // what is there for sure
    std::vector<const Change*> pending_;
    std::vector<std::string> told_;
    std::set<std::pair<std::size_t, std::size_t>> seen_;
    std::size_t looked_ = 0;
    bool going_on_ = true;
    std::mt19937 random_{1}; // NOLINT: the same each time
};

} // namespace

std::size_t for_each_cut(const Recording& recording, const Cuts& cuts,
                         const std::function<bool(const Cut&)>& look) {
    return Cutter(recording, cuts, look).run();
}

std::size_t for_each_kill(const Recording& recording, const std::function<bool(const Cut&)>& look) {
    Disk disk;
    std::vector<std::string> told;
    std::size_t begun = 0;
    for (const Change& change : recording.changes) {
        disk.apply(change);
        ++begun;
        if (change.what == What::mark) {
            told.push_back(change.data);
        }
        if (begun < recording.before) {
            continue;
        }
        if (!look({.disk = disk,
                   .begun = begun,
                   .told = told,
                   .how = fmt::format("killed after change {} of {}", begun, recording.changes.size())})) {
            break;
        }
    }
    return begun;
}

} // namespace jit::power

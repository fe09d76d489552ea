// SPDX-License-Identifier: MIT
#include "daemon/still.h"

#include "core/fd.h"
#include "core/read.h"
#include "daemon/published.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>

namespace jit {
namespace {

constexpr int looks = 50; // until all of it stands still; a process in the kernel may take its time
constexpr long between_looks = 500'000; // ns

std::string slice_of(Uid uid) {
    return fmt::format("/sys/fs/cgroup/user.slice/user-{}.slice/", number(uid));
}

std::string note_of(const std::string& holder) {
    return "/run/jit/held-" + holder;
}

std::string read_all(const std::string& path) {
    return read_whole(AT_FDCWD, path.c_str(), 4096);
}

bool set_frozen(Uid uid, bool frozen) {
    const Fd file(open((slice_of(uid) + "cgroup.freeze").c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    return file && write(file.get(), frozen ? "1" : "0", 1) == 1;
}

void wait_until_still(Uid uid) {
    for (int look = 0; look < looks; ++look) {
        if (read_all(slice_of(uid) + "cgroup.events").find("frozen 1") != std::string::npos) {
            return;
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = between_looks};
        nanosleep(&pause, nullptr);
    }
}

// Whether all of them run again: else the note stays, and the sweep tries it anew.
bool let_go(const std::set<Uid>& uids) {
    bool all = true;
    for (const Uid uid : uids) {
        all = (set_frozen(uid, false) || access(slice_of(uid).c_str(), F_OK) != 0) && all;
    }
    return all;
}

} // namespace

Still::Still(const std::set<Uid>& uids, const std::string& holder) : note_(note_of(holder)) {
    std::string note;
    for (const Uid uid : uids) {
        if (read_all(slice_of(uid) + "cgroup.freeze") == "0\n") {
            held_.insert(uid);
            note += fmt::format("{}\n", number(uid));
        }
    }
    if (held_.empty() || !publish(note, note_)) {
        held_.clear(); // looked through as they run
        return;
    }
    for (const Uid uid : held_) {
        set_frozen(uid, true);
    }
    for (const Uid uid : held_) {
        wait_until_still(uid);
    }
}

Still::~Still() {
    if (!held_.empty() && let_go(held_)) {
        unlink(note_.c_str());
    }
}

void release_held(const std::string& holder, Millis ago) {
    struct stat status{};
    if (stat(note_of(holder).c_str(), &status) != 0) {
        return;
    }
    // One from the future was written before the clock was set back: nobody knows how long ago.
    const auto age = std::time(nullptr) - status.st_mtime;
    if (age >= 0 && age < std::chrono::duration_cast<std::chrono::seconds>(ago).count()) {
        return;
    }
    std::set<Uid> held;
    const std::string text = read_all(note_of(holder));
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        std::uint32_t uid = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), uid);
        if (error == std::errc() && end == line.data() + line.size()) {
            held.insert(Uid{uid});
        }
    }
    if (let_go(held)) {
        unlink(note_of(holder).c_str());
    }
}

} // namespace jit

// SPDX-License-Identifier: MIT
#include "daemon/proofs.h"

#include <algorithm>
#include <ranges>
#include <sys/stat.h>

namespace jit {

std::optional<PasswordsStamp> passwords_stamp(const char* path) {
    struct stat status{};
    if (stat(path, &status) != 0) {
        return std::nullopt;
    }
    return PasswordsStamp{.device = status.st_dev,
                          .inode = status.st_ino,
                          .changed_seconds = status.st_ctim.tv_sec,
                          .changed_nanoseconds = status.st_ctim.tv_nsec};
}

void Proofs::remember(const Seat& seat, BootTime now) {
    const auto stamp = stamp_();
    if (!stamp) {
        return;
    }
    proofs_.insert_or_assign(seat, Proof{now, *stamp});
    if (std::ranges::count_if(proofs_, [&](const auto& entry) { return entry.first.uid == seat.uid; }) >
        static_cast<std::ptrdiff_t>(most_of_uid_)) {
        drop_oldest(seat.uid);
    }
    if (proofs_.size() > most_) {
        drop_oldest(std::nullopt);
    }
}

bool Proofs::holds(const Seat& seat, BootTime now, Millis timeout) const {
    const auto found = proofs_.find(seat);
    return found != proofs_.end() && now >= found->second.at && now - found->second.at < timeout &&
           stamp_() == found->second.passwords;
}

void Proofs::forget(const Seat& seat) {
    proofs_.erase(seat);
}

void Proofs::forget_all(Uid uid) {
    std::erase_if(proofs_, [&](const auto& entry) { return entry.first.uid == uid; });
}

void Proofs::drop_oldest(std::optional<Uid> uid) {
    auto oldest = proofs_.end();
    for (auto at = proofs_.begin(); at != proofs_.end(); ++at) {
        if ((!uid || at->first.uid == *uid) &&
            (oldest == proofs_.end() || at->second.at < oldest->second.at)) {
            oldest = at;
        }
    }
    if (oldest != proofs_.end()) {
        proofs_.erase(oldest);
    }
}

} // namespace jit

// SPDX-License-Identifier: MIT
// How much one uid may have us do that stays: so much at once, and then one each `refill`. What is recorded
// stays on the disk, and the disk is everybody's. Counted in whatever the owner counts in: times, or bytes.
#pragma once

#include "core/time.h"
#include "core/types.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

namespace jit {

class RateLimit {
public:
    RateLimit(std::int64_t burst, Millis refill) : burst_(burst), refill_(refill) {}

    [[nodiscard]] bool has_left(Uid uid, BootTime now) { return bucket_of(uid, now).left > 0; }

    // Takes `cost`, if anything is left. What something costs may be known only when it is done: then it may
    // be more than was left, and the rest is owed.
    bool take(Uid uid, BootTime now, std::int64_t cost = 1) {
        Bucket& bucket = bucket_of(uid, now);
        if (bucket.left <= 0) {
            return false;
        }
        bucket.left -= cost;
        return true;
    }

    // What was taken and turned out not to count.
    void put_back(Uid uid, BootTime now, std::int64_t cost) {
        Bucket& bucket = bucket_of(uid, now);
        bucket.left = std::min(bucket.left + cost, burst_);
    }

private:
    struct Bucket {
        std::int64_t left;
        BootTime filled;
    };

    Bucket& bucket_of(Uid uid, BootTime now) {
        if (buckets_.size() >= most_) {
            std::erase_if(buckets_,
                          [&](const auto& entry) { return now - entry.second.filled > refill_ * burst_; });
        }
        Bucket& bucket = buckets_.try_emplace(uid, Bucket{.left = burst_, .filled = now}).first->second;
        const std::int64_t more = (now - bucket.filled) / refill_;
        if (more > 0) {
            bucket.left = std::min(bucket.left + more, burst_);
            bucket.filled += refill_ * more;
        }
        return bucket;
    }

    static constexpr std::size_t most_ = 4096; // beyond, those that are full again are forgotten

    std::int64_t burst_;
    Millis refill_;
    std::map<Uid, Bucket> buckets_;
};

// What those are told whose share of bytes is used up.
inline constexpr const char* share_is_used_up =
    "you have had as much recorded as one may in a day; try again later";

// What one costs of whom so many bytes of events were appended, in bytes on the disk: the rows that they tell
// of are about as long, and their end is yet to come.
constexpr std::int64_t cost_of_recording(std::int64_t appended) {
    return 2 * appended + 2048;
}

// Which refusals are recorded: ten at once of each uid, and one a minute. The rest is counted.
class RefusalLimit {
public:
    // It is to be recorded, and so many of that uid's were not since the last. None: it isn't.
    [[nodiscard]] std::optional<std::int64_t> take(Uid uid, BootTime now) {
        if (!limit_.take(uid, now)) {
            if (left_out_.size() < most_ || left_out_.contains(uid)) {
                ++left_out_[uid];
            }
            return std::nullopt;
        }
        const auto counted = left_out_.extract(uid);
        return counted ? counted.mapped() : 0;
    }

private:
    static constexpr std::size_t most_ = 4096; // uids, each with a count

    RateLimit limit_{10, std::chrono::minutes(1)};
    std::map<Uid, std::int64_t> left_out_;
};

} // namespace jit

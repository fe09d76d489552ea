// SPDX-License-Identifier: MIT
// How often one uid may do something that is recorded: so many at once, and then one each `refill`. What is
// recorded stays on the disk, and the disk is everybody's.
#pragma once

#include "core/time.h"
#include "core/types.h"

#include <algorithm>
#include <map>

namespace jit {

class RateLimit {
public:
    RateLimit(std::int64_t burst, Millis refill) : burst_(burst), refill_(refill) {}

    // Takes one, if there is one left.
    [[nodiscard]] bool take(Uid uid, BootTime now) {
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
        if (bucket.left == 0) {
            return false;
        }
        --bucket.left;
        return true;
    }

private:
    struct Bucket {
        std::int64_t left;
        BootTime filled;
    };
    static constexpr std::size_t most_ = 4096; // beyond, those that are full again are forgotten

    std::int64_t burst_;
    Millis refill_;
    std::map<Uid, Bucket> buckets_;
};

} // namespace jit

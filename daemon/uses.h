// SPDX-License-Identifier: MIT
// The elevations of this host: what runs by a grant, and its end. The second surface of the database (the
// first that takes away): what runs and is carried by no live grant is ended.
//
// MUST:
//  1. Nothing begins before it is recorded (the helper waits for that), and it is published for the sweep
//  before that.
//  2. An end acts first and is recorded after; what can't be recorded is tried again.
//  3. A cgroup that belongs to no use is a leftover: killed and removed.
#pragma once

#include "core/clock.h"
#include "core/store.h"
#include "daemon/choose.h"
#include "daemon/elevations.h"
#include "daemon/journal.h"
#include "daemon/loop.h"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace jit {

class Uses {
public:
    Uses(Loop& loop, Store& store, const Clock& clock, const Policy& policy, Journal& journal);

    // After a start: takes up what lives and ends what doesn't; removes leftovers.
    Result<void> adopt();

    // A cgroup for a command that may begin until `deadline`, under a new name.
    struct Place {
        std::string name;
        Fd directory;
    };
    Result<Place> reserve(const RequestId& grant, const Deadline& deadline);
    // Takes the place back, killing what is in it.
    void give_back(const std::string& name);

    // The command in its place begins: checked (its process is there), recorded, kept. Without `keep_command`
    // all of it goes into the record, but it isn't kept for being judged again.
    Result<void> begin(Use use, bool keep_command);
    void exited(const std::string& id, std::int32_t status);
    // jit-sudo is gone without saying how the command ended.
    void abandoned(const std::string& id);

    // The end, by this boot's clock, of the grant that lives longest of those that carry it now.
    [[nodiscard]] std::optional<Deadline> deadline_of(const std::string& id);

    // A grant or the policy changed: the next enforce() judges everything anew.
    void grants_changed() { changed_ = true; }
    // Ends what no grant carries any more, warns what ends soon. Does nothing where nothing changed and
    // nothing is due.
    void enforce();

private:
    struct Carrier {
        Deadline deadline;
        Millis window;
    };
    struct Live {
        Use use;
        std::optional<Carrier> carrier; // as judged last
        Fd events;
        Loop::Source watch;
        bool warned = false;
        bool over = false; // killed; its end is yet to be seen and recorded
    };
    [[nodiscard]] std::optional<Carrier> carrier_of(const Live& live, const Now& now);
    void judge(const std::string& id, Live& live, const Now& now);
    void remove_leftovers(const Now& now);
    void look_for_ended(const Now& now, bool clean);
    void keep(const Use& use);
    void watch_place(Live& live);
    void finish(const std::set<std::string>& ended, Time now);
    void settle();
    Result<void> publish_all();
    void want(BootTime time);

    Loop& loop_;
    Store& store_;
    const Clock& clock_;
    const Policy& policy_;
    Journal& journal_;
    Elevations elevations_;
    std::map<std::string, Live> live_;
    std::map<std::string, Deadline> reserved_;
    std::string published_;
    bool changed_ = true;
    std::optional<BootTime> next_; // when enforce() has something to do again
    Loop::Source timer_;
    static constexpr Millis first_retry = Millis(20);
    Millis retry_ = first_retry;
    bool settling_due_ = false;
    Loop::Source settling_;
};

} // namespace jit

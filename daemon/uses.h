// SPDX-License-Identifier: MIT
// What runs on this host by a grant, and its end: elevations (uses_elevations.cpp), logins
// (uses_logins.cpp), and which grant carries each (uses_judging.cpp). What is carried by none is ended.
//
// MUST:
//  1. No elevation begins before it is recorded (the helper waits for that), and it is published for the
//  sweep
//     before that. A login that can't be recorded is ended.
//  2. An end acts first and is recorded after; what can't be recorded is tried again.
//  3. A cgroup that belongs to no use is a leftover: killed and removed.
//  4. Of logins only those are ended that pam_jit has registered. The login table is published before it is
//  looked
//     who is registered: who came in by a grant that is gone is seen by pam_jit or by us.
#pragma once

#include "core/clock.h"
#include "core/notices.h"
#include "core/store.h"
#include "daemon/choose.h"
#include "daemon/elevations.h"
#include "daemon/journal.h"
#include "daemon/last_use.h"
#include "daemon/login_table.h"
#include "daemon/loop.h"
#include "daemon/rate_limit.h"
#include "daemon/registered.h"
#include "daemon/terminals.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace jit {

// What is left of a use that hasn't ended.
struct Ongoing {
    RequestId grant;                // that it began under
    RequestId chain;                // of that grant
    std::set<RequestId> carried_by; // the chains of those that carry it now, each of which it needs
    BootTime last_used;             // as far as it was looked
    // When it counts as over, the command itself or the login, whatever it left behind; none: it isn't.
    std::optional<BootTime> over;
};

class Uses {
public:
    Uses(Loop& loop, Store& store, const Clock& clock, const Policy& policy, Journal& journal,
         LoginTable& logins);

    // After a start: takes up what lives and ends what doesn't; removes leftovers.
    Result<void> adopt();

    // Whether one more of somebody's may begin: so many run at once, and so much of them is recorded in a
    // day.
    [[nodiscard]] Result<void> room_for(Uid uid);

    // A cgroup for a command that may begin until `deadline`, under a new name.
    struct Place {
        std::string name;
        Fd directory;
    };
    Result<Place> reserve(const Request& grant, const Deadline& deadline, const CgroupLimits& limits);
    // Takes the place back, killing what is in it.
    void give_back(const std::string& name);

    // The command in its place begins: checked (its process is there), recorded, kept. Without `keep_command`
    // all of it goes into the record, but it isn't kept for being judged again.
    Result<void> begin(Use use, bool keep_command);
    void exited(const std::string& id, std::int32_t status);
    // After we were started anew, jit-sudo is there again. False: there is no such command of theirs.
    [[nodiscard]] bool resumed(const std::string& id, Uid caller);
    // jit-sudo is gone without saying how the command ended.
    void abandoned(const std::string& id);

    // Called for each command that is ended before its deadline, and why, just before it is killed.
    using EndedEarly = std::function<void(const std::string& id, const std::string& why)>;
    void on_early_end(EndedEarly call) { ended_early_ = std::move(call); }

    // Called when something of somebody's begins, is over, or has ended.
    using Changed = std::function<void(Uid)>;
    void on_change(Changed call) { use_changed_ = std::move(call); }
    [[nodiscard]] std::vector<Ongoing> ongoing(Uid uid) const;
    // Looks when what is going on of theirs was last used. Without a terminal, or with one that can't be
    // seen, it is in use.
    void look_at_use(Uid uid);
    // Whether a command is about to begin under a grant of the chain.
    [[nodiscard]] bool is_about_to_begin(const RequestId& chain) const;
    // A line to the terminals of the logins that a chain of grants carries.
    void tell_logins(const RequestId& chain, const std::string& line);

    // The end, by this boot's clock, of the grant that lives longest of those that carry it now.
    [[nodiscard]] std::optional<Deadline> deadline_of(const std::string& id);

    // What runs and isn't over, with the grant that carries it and that one's end, as judged last.
    struct Running {
        const Use* use;
        RequestId grant;
        Time until;
    };
    [[nodiscard]] std::vector<Running> running() const;

    // Until when live grants carry it, by this boot's clock, whatever was judged before. None: not even now.
    [[nodiscard]] std::optional<Deadline> carried_until(const Use& use) const;
    [[nodiscard]] bool is_reserved(const std::string& name) const { return reserved_.contains(name); }

    // The audit sessions of what runs, isn't over, and was given this group: a login's session group, or
    // jit-sudo -g. Where the kernel keeps no audit sessions, nothing can be said to have it.
    [[nodiscard]] std::set<std::uint32_t> sessions_given(Uid uid, const std::string& group);

    // Takes up what pam_jit has registered by now.
    void take_registered();
    // The next enforce() judges everything anew. Logins are given or refused by it when this returns.
    void requests_changed(const std::vector<Request>& requests);
    void policy_changed(); // or the clock was set, which moves deadlines
    // Ends what no grant carries any more, warns what ends soon. Does nothing where nothing changed and
    // nothing is due.
    void enforce();

private:
    struct Carrier {
        RequestId grant;
        std::set<RequestId> chains; // of this grant, and of what else it is carried by together with it
        Deadline deadline;
        Millis window;
    };
    struct Live {
        Use use;
        RequestId chain;                // of the grant that it began under
        std::optional<Carrier> carrier; // as judged last
        Fd events;                      // an elevation's cgroup.events; a login's leader (a pidfd)
        Loop::Source watch;
        Fd command; // of an elevation: its first process (a pidfd)
        Loop::Source command_watch;
        std::optional<BootTime> over_at; // Ongoing::over
        std::optional<LastUse> last_use;
        bool warned = false;
        Notices notices;             // of a login; jit-sudo tells by itself
        std::optional<Time> planned; // the end that they are of, by the clock that doesn't waver
        bool reports = false;        // its jit-sudo is there, and is still to say how the command ended
        std::optional<BootTime> empty_since;
        bool over = false;   // killed; its end is yet to be seen and recorded
        bool killed = false; // and there was something to kill
        bool unseen = false; // when it ended, and how: no jitd was there
    };
    // Each person's live grants, asked for once a turn.
    using GrantsOf = std::map<Uid, Result<std::vector<Request>>>;
    const Result<std::vector<Request>>& grants_of(Uid uid, GrantsOf& known) const;
    // Held to what the role of the grant that it began under holds its commands to now; nothing where that is
    // gone.
    [[nodiscard]] Began how_it_began(const Use& use, const std::vector<Request>& active) const;
    [[nodiscard]] std::optional<Carrier> carrier_of(const Live& live, const Now& now, GrantsOf& known) const;
    void judge(const std::string& id, Live& live, const Now& now, GrantsOf& known);
    void notify(Live& live, const Now& now);
    void tell_why(const std::string& id, const RequestId& grant);
    void kill(const Live& live);
    [[nodiscard]] bool may_have_ended(const Live& live) const;
    [[nodiscard]] bool still_reports(Live& live, const Now& now);
    [[nodiscard]] std::set<Uid> people_to_look_through() const;
    // What allows it: the grant's role, and where in the policy that stands.
    void add_rule(Json& fields, const RequestId& grant);
    // Within the transaction that counts it.
    Result<void> may_start(const RequestId& grant);
    void publish_logins();
    [[nodiscard]] Result<void> watch_registered();
    void begin_login(std::uint32_t session);
    void record_refusals();
    void watch_leader(Live& live);
    void take_back_reserved(const Now& now);
    void remove_leftovers(const Now& now);
    void look_for_ended(const Now& now, bool clean);
    void keep(const Use& use);
    void watch_place(Live& live);
    void watch_command(Live& live);
    void counts_as_over(Live& live, BootTime at);
    void counts_as_over_since(Live& live);
    void used(const std::set<RequestId>& chains, Time at);
    void record_over(const Now& now);
    void record_carriers(Live& live, const Now& now);
    void look_at_terminals(std::optional<Uid> whose, bool ours);
    void tell();
    void finish(const std::set<std::string>& ended, Time now);
    void settle();
    Result<void> publish_all();
    void want(BootTime time);

    Loop& loop_;
    Store& store_;
    const Clock& clock_;
    const Policy& policy_;
    Journal& journal_;
    LoginTable& logins_;
    EndedEarly ended_early_;
    Changed use_changed_;
    Registered registered_;
    Fd folder_;
    Loop::Source folder_watch_;
    RefusalLimit refusals_;
    RateLimit share_{64 * 1024 * 1024, Millis(1)}; // bytes of what is recorded of uses: 82 MiB a day
    std::map<std::uint32_t, std::string> logins_by_session_;
    std::map<std::uint32_t, Told> to_tell_; // sessions of logins
    std::set<std::uint32_t> to_warn_;       // sessions of logins that end soon
    Elevations elevations_;
    std::map<std::string, Live> live_;
    struct Reserved {
        Deadline deadline;
        RequestId grant; // that it is to begin under
        RequestId chain; // of that grant
    };
    std::map<std::string, Reserved> reserved_;
    std::string published_;
    bool changed_ = true;
    std::optional<BootTime> next_; // when enforce() has something to do again
    Loop::Source timer_;
    static constexpr Millis before_settling = std::chrono::seconds(1);
    static constexpr Millis first_retry = Millis(20);
    static constexpr Millis longest_retry = std::chrono::seconds(1);
    Millis retry_ = first_retry;
    bool settling_due_ = false;
    Loop::Source settling_;
};

// What the events of a use's end have in common.
[[nodiscard]] Json status_fields(const Use& use);

} // namespace jit

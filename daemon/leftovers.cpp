// SPDX-License-Identifier: MIT
#include "daemon/leftovers.h"

#include "core/login_table.h"
#include "core/names.h"
#include "core/read.h"
#include "core/text.h"
#include "daemon/peer.h"
#include "daemon/processes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <utility>

namespace jit {
namespace {

constexpr std::size_t longest_comm = 64;
constexpr std::int64_t most_searches = 1000;
constexpr Millis time_to_search = std::chrono::minutes(10);

constexpr std::array kinds{std::pair{Leftover::Kind::process, std::string_view("process")},
                           std::pair{Leftover::Kind::cgroup, std::string_view("cgroup")},
                           std::pair{Leftover::Kind::registration, std::string_view("registration")},
                           std::pair{Leftover::Kind::membership, std::string_view("membership")},
                           std::pair{Leftover::Kind::login, std::string_view("login")},
                           std::pair{Leftover::Kind::account, std::string_view("account")},
                           std::pair{Leftover::Kind::search, std::string_view("search")}};

class Search {
public:
    explicit Search(const LooksFor& in) : in_(in) {}

    Result<std::vector<Leftover>> run() {
        const auto looked = in_.store.guarded([&]() -> Result<void> {
            cgroups();
            if (auto seen = processes(); !seen) {
                return seen;
            }
            registrations();
            if (auto seen = memberships(); !seen) {
                return seen;
            }
            searches();
            if (auto seen = accounts(); !seen) {
                return seen;
            }
            return logins();
        });
        if (!looked) {
            return std::unexpected(looked.error());
        }
        return std::move(found_);
    }

private:
    // A use that is there by right: it hasn't ended, and a grant carries it.
    bool by_right(const std::optional<Use>& use) {
        return use && !use->ended && use->boot_id == in_.clock.boot_id() && in_.uses.carried_until(*use);
    }

    void add(Leftover::Kind kind, std::string what) { found_.push_back({kind, std::move(what)}); }

    void searches() {
        const Time now = in_.clock.now().time;
        for (const Request& request : in_.store.unsearched(most_searches)) {
            if (now - *request.ended > time_to_search) {
                add(Leftover::Kind::search,
                    fmt::format("what grant {} of {} ({}) left behind isn't known yet", request.id,
                                request.beneficiary.account, request.role));
            }
        }
    }

    void cgroups() {
        for (const std::string& name : in_.elevations.list()) {
            const auto use = in_.store.find_use(name);
            if (by_right(use) || (!use && in_.uses.is_reserved(name))) {
                continue;
            }
            const auto populated = in_.elevations.populated(name);
            add(Leftover::Kind::cgroup,
                fmt::format("cgroup {} of {}, {}", name, use ? "a command by " + use->by.person : "no use",
                            populated && !*populated ? "empty" : "with processes"));
        }
    }

    Result<void> processes() {
        std::map<std::uint32_t, std::optional<Use>> over; // by audit session; none: by right, or not of a use
        return for_each_pid([&](int proc, pid_t pid) {
            const auto session = session_of_process(proc, pid);
            if (!session) {
                return;
            }
            const auto [known, is_new] = over.try_emplace(*session);
            if (is_new) {
                const auto use = in_.store.use_of_session(*session, in_.clock.boot_id());
                known->second = by_right(use) ? std::nullopt : use;
            }
            if (!known->second || has_ended(open_process(pid).get())) {
                return;
            }
            add(Leftover::Kind::process,
                fmt::format(
                    "process {} ({}) of use {} by {}", pid,
                    escape(first_line(read_whole(proc, fmt::format("{}/comm", pid).c_str(), longest_comm))),
                    known->second->id, known->second->by.person));
        });
    }

    static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

    void registrations() {
        for (const std::uint32_t session : in_.registered.sessions()) {
            const auto use = in_.store.use_of_session(session, in_.clock.boot_id());
            if (!by_right(use)) {
                add(Leftover::Kind::registration,
                    fmt::format("registration of session {} {}", session,
                                use ? "by " + use->by.person : "that is no use"));
            }
        }
    }

    [[nodiscard]] bool gives_membership(const MembershipName& name, Uid uid) {
        const Now now = in_.clock.now();
        return std::ranges::any_of(in_.store.active_of(uid), [&](const Request& grant) {
            const auto role = in_.policy.roles.find(grant.role);
            const auto has = [&](const std::vector<std::string>& groups) {
                return std::ranges::find(groups, name.group) != groups.end();
            };
            return role != in_.policy.roles.end() && grant.beneficiary.account == name.account &&
                   has(grant.scope.memberships) && has(role->second.memberships) &&
                   !grant.not_after->over(now, in_.clock.boot_id());
        });
    }

    Result<void> memberships() {
        const auto all = in_.drop_ins.list();
        if (!all) {
            return std::unexpected(all.error());
        }
        for (const auto& [file, content] : *all) {
            if (file.state == DropInState::given && content && gives_membership(file.name, content->uid)) {
                continue;
            }
            add(Leftover::Kind::membership,
                fmt::format("membership of {} in {}{}", file.name.account, file.name.group,
                            file.state == DropInState::given ? ""
                                                             : ", taken back: its processes are looked for"));
        }
        return {};
    }

    [[nodiscard]] bool gives_account(const std::string& name, Uid uid) {
        const Now now = in_.clock.now();
        return std::ranges::any_of(in_.store.active_of(uid), [&](const Request& grant) {
            const auto role = in_.policy.roles.find(grant.role);
            return grant.account && grant.beneficiary.account == name && role != in_.policy.roles.end() &&
                   role->second.account && !grant.not_after->over(now, in_.clock.boot_id());
        });
    }

    // Those of which something is still there, and what runs by one that isn't.
    Result<void> accounts() {
        const auto files = in_.account_files.list();
        if (!files) {
            return std::unexpected(files.error());
        }
        std::set<Uid> over;
        std::set<std::string> known;
        for (const MadeAccount& made : in_.store.accounts()) {
            known.insert(made.name);
            if (gives_account(made.name, made.uid)) {
                continue;
            }
            over.insert(made.uid);
            if (!made.grant.empty()) {
                add(Leftover::Kind::account,
                    fmt::format("account {} of grant {}: what it has is being removed", made.name,
                                made.grant));
            }
        }
        for (const auto& file : *files) {
            if (!known.contains(file.name)) {
                add(Leftover::Kind::account, fmt::format("account {} that isn't known of", file.name));
            }
        }
        return for_each_pid([&](int proc, pid_t pid) {
            struct stat owner{};
            const auto login = login_uid_of_process(proc, pid);
            const bool is_one = (login && over.contains(*login)) ||
                                (fstatat(proc, std::to_string(pid).c_str(), &owner, 0) == 0 &&
                                 over.contains(Uid{owner.st_uid}));
            if (is_one && !has_ended(open_process(pid).get())) {
                add(Leftover::Kind::process, fmt::format("process {} of an account that is over", pid));
            }
        });
    }

    Result<void> logins() {
        const auto ids = login_table_ids(in_.login_table);
        if (!ids) {
            return std::unexpected(ids.error());
        }
        const Now now = in_.clock.now();
        for (const std::string& id : *ids) {
            const auto grant = is_request_id(id) ? in_.store.find(id) : std::nullopt;
            if (!grant || grant->state != State::active || grant->not_after->over(now, in_.clock.boot_id())) {
                add(Leftover::Kind::login, fmt::format("login by {}, which isn't a live grant", escape(id)));
            }
        }
        return {};
    }

    const LooksFor& in_;
    std::vector<Leftover> found_;
};

} // namespace

std::string_view name_of(Leftover::Kind kind) {
    return name_in(kinds, kind);
}

Result<std::vector<Leftover>> find_leftovers(const LooksFor& in) {
    return Search(in).run();
}

} // namespace jit

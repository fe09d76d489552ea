// SPDX-License-Identifier: MIT
// The drop-ins that make an account a member of a group on the whole host, as jit writes them for
// nss-systemd:
//
//   /run/userdb/ACCOUNT:GROUP.membership
//   {"io.jitsudo":{"grant":"7f3a","uid":1000,"gid":998,"until":UTC_MS,"boot":BOOT_MS}}
//
// One that is taken back is renamed to ACCOUNT:GROUP.jit-ending, which nss-systemd doesn't read, and removed
// when no process carries the group any more: so whoever comes after a crash knows whom to look for.
//
// MUST, besides those of userdb.h: it says all that taking it back needs. Nobody is asked then.
#pragma once

#include "core/clock.h"
#include "core/error.h"
#include "core/types.h"
#include "daemon/userdb.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

struct MembershipName {
    std::string account;
    std::string group;
    auto operator<=>(const MembershipName&) const = default;
};

struct DropIn {
    RequestId grant; // of those that give it, the one that lives longest
    Uid uid = no_uid;
    Gid gid = no_gid;
    Time until; // the deadline as a pair
    BootTime boot;
    bool operator==(const DropIn&) const = default;
};

[[nodiscard]] std::string drop_in_text(const DropIn& drop_in);
// An error for anything but what drop_in_text() writes, down to the order of the fields.
[[nodiscard]] Result<DropIn> parse_drop_in(std::string_view text);

enum class DropInState { given, ending };
[[nodiscard]] std::string drop_in_file(const MembershipName& name, DropInState state);
struct DropInFile {
    MembershipName name;
    DropInState state = DropInState::given;
    bool operator==(const DropInFile&) const = default;
};
[[nodiscard]] std::optional<DropInFile> parse_drop_in_file(std::string_view file);

class DropIns {
public:
    explicit DropIns(std::string directory = userdb_directory) : directory_(std::move(directory)) {}

    // Ours. No content: with our marker, and damaged.
    struct Found {
        DropInFile file;
        std::optional<DropIn> content;
    };
    [[nodiscard]] Result<std::vector<Found>> list() const;

    // Writes it beside: all that can well go wrong, before anything is given. Errc::refused: somebody else's
    // file has the name.
    [[nodiscard]] Result<void> prepare(const MembershipName& name, const DropIn& drop_in) const;
    // Gives what was prepared.
    [[nodiscard]] Result<void> put(const MembershipName& name) const;
    // It gives nothing any more when this returns without an error; one that is gone already is none.
    [[nodiscard]] Result<void> take(const MembershipName& name) const;
    // Forgets one that was taken.
    void remove_taken(const MembershipName& name) const;

private:
    [[nodiscard]] std::string path_of(const MembershipName& name, DropInState state) const;
    [[nodiscard]] std::string path_beside(const MembershipName& name) const;

    std::string directory_;
};

} // namespace jit

// SPDX-License-Identifier: MIT
#include "daemon/membership_files.h"

#include "core/json.h"
#include "core/text.h"

#include <fmt/format.h>

namespace jit {
namespace {

constexpr std::string_view given_suffix = ".membership";
constexpr std::string_view ending_suffix = ".jit-ending";
constexpr const char* new_suffix = ".jit-new";

} // namespace

std::string drop_in_text(const DropIn& drop_in) {
    return to_line(Json{{"io.jitsudo",
                         {{"grant", drop_in.grant},
                          {"uid", number(drop_in.uid)},
                          {"gid", number(drop_in.gid)},
                          {"until", drop_in.until.time_since_epoch().count()},
                          {"boot", drop_in.boot.time_since_epoch().count()}}}}) +
           "\n";
}

Result<DropIn> parse_drop_in(std::string_view text) {
    const auto malformed = fail(Errc::invalid, "not what jit writes");
    const auto json = parse_json(text);
    if (!json || !json->is_object() || !json->contains("io.jitsudo")) {
        return malformed;
    }
    const Json& ours = (*json)["io.jitsudo"];
    const auto integer = [&ours](const char* key) -> std::int64_t {
        const auto found = ours.find(key);
        return found != ours.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
    };
    if (!ours.is_object() || !ours.contains("grant") || !ours["grant"].is_string()) {
        return malformed;
    }
    DropIn drop_in{.grant = ours["grant"].get<std::string>(),
                   .uid = Uid{static_cast<std::uint32_t>(integer("uid"))},
                   .gid = Gid{static_cast<std::uint32_t>(integer("gid"))},
                   .until = Time(Millis(integer("until"))),
                   .boot = BootTime(Millis(integer("boot")))};
    // Whatever was cut off above, or stands there besides, isn't written again.
    if (!is_request_id(drop_in.grant) || drop_in.uid == root_uid || drop_in.uid == no_uid ||
        drop_in.gid == no_gid || drop_in_text(drop_in) != text) {
        return malformed;
    }
    return drop_in;
}

std::string drop_in_file(const MembershipName& name, DropInState state) {
    return fmt::format("{}:{}{}", name.account, name.group,
                       state == DropInState::given ? given_suffix : ending_suffix);
}

std::optional<DropInFile> parse_drop_in_file(std::string_view file) {
    const bool given = file.ends_with(given_suffix);
    if (!given && !file.ends_with(ending_suffix)) {
        return std::nullopt;
    }
    file.remove_suffix(given ? given_suffix.size() : ending_suffix.size());
    const std::size_t colon = file.find(':');
    if (colon == std::string_view::npos || !is_account_name(file.substr(0, colon)) ||
        !is_account_name(file.substr(colon + 1))) {
        return std::nullopt;
    }
    return DropInFile{
        .name = {.account = std::string(file.substr(0, colon)), .group = std::string(file.substr(colon + 1))},
        .state = given ? DropInState::given : DropInState::ending};
}

std::string DropIns::path_of(const MembershipName& name, DropInState state) const {
    return fmt::format("{}/{}", directory_, drop_in_file(name, state));
}

std::string DropIns::path_beside(const MembershipName& name) const {
    return fmt::format("{}/{}:{}{}", directory_, name.account, name.group, new_suffix);
}

Result<std::vector<DropIns::Found>> DropIns::list() const {
    const auto names = names_in_directory(directory_);
    if (!names) {
        return std::unexpected(names.error());
    }
    std::vector<Found> all;
    for (const std::string& name : *names) {
        auto file = parse_drop_in_file(name);
        const auto text = file ? read_our_file(directory_ + '/' + name) : fail(Errc::not_found, name);
        if (text) {
            const auto content = parse_drop_in(*text);
            all.push_back(
                {.file = std::move(*file), .content = content ? std::optional(*content) : std::nullopt});
        }
    }
    return all;
}

Result<void> DropIns::prepare(const MembershipName& name, const DropIn& drop_in) const {
    const auto there = read_our_file(path_of(name, DropInState::given));
    if (!there && there.error().code != Errc::not_found) {
        return std::unexpected(there.error());
    }
    return write_beside(path_beside(name), drop_in_text(drop_in));
}

Result<void> DropIns::put(const MembershipName& name) const {
    return put_in_place(path_beside(name), path_of(name, DropInState::given));
}

Result<void> DropIns::take(const MembershipName& name) const {
    return take_away(path_of(name, DropInState::given), path_of(name, DropInState::ending));
}

void DropIns::remove_taken(const MembershipName& name) const {
    remove_our_file(path_of(name, DropInState::ending));
}

} // namespace jit

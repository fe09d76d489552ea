// SPDX-License-Identifier: MIT
#include "daemon/account_files.h"

#include "core/json.h"
#include "core/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::string_view user_suffix = ".user";
constexpr std::string_view group_suffix = ".group";
constexpr std::string_view over_suffix = ".jit-over";
constexpr std::string_view new_suffix = ".jit-new";

Json marker_of(const AccountRecord& record) {
    return {{"grant", record.grant},
            {"until", record.until.time_since_epoch().count()},
            {"boot", record.boot.time_since_epoch().count()}};
}

} // namespace

std::string record_text(const AccountRecord& record) {
    return to_line(Json{{"io.jitsudo", marker_of(record)},
                        {"userName", record.name},
                        {"uid", number(record.uid)},
                        {"gid", number(record.uid)},
                        {"homeDirectory", record.home},
                        {"shell", record.shell}}) +
           "\n";
}

std::string account_group_text(const AccountRecord& record) {
    return to_line(Json{
               {"io.jitsudo", marker_of(record)}, {"groupName", record.name}, {"gid", number(record.uid)}}) +
           "\n";
}

Result<AccountRecord> parse_account_record(std::string_view text) {
    const auto json = parse_json(text);
    if (!json) {
        return std::unexpected(json.error());
    }
    try {
        const Json& ours = json->at("io.jitsudo");
        AccountRecord record{.grant = ours.at("grant").get<std::string>(),
                             .name = json->at("userName").get<std::string>(),
                             .uid = Uid{json->at("uid").get<std::uint32_t>()},
                             .home = json->at("homeDirectory").get<std::string>(),
                             .shell = json->at("shell").get<std::string>(),
                             .until = Time(Millis(ours.at("until").get<std::int64_t>())),
                             .boot = BootTime(Millis(ours.at("boot").get<std::int64_t>()))};
        // Whatever was cut off above, or stands there besides, isn't written again.
        if (is_request_id(record.grant) && is_account_name(record.name) && record.uid != root_uid &&
            record.uid != no_uid && record_text(record) == text) {
            return record;
        }
    } catch (const Json::exception&) {
        // as below
    }
    return fail(Errc::invalid, "not what jit writes");
}

std::string AccountFiles::path(std::string_view stem, std::string_view suffix) const {
    return fmt::format("{}/{}{}", directory_, stem, suffix);
}

Result<std::vector<AccountFiles::Found>> AccountFiles::list() const {
    const auto names = names_in_directory(directory_);
    if (!names) {
        return std::unexpected(names.error());
    }
    std::vector<Found> all;
    for (const std::string& file : *names) {
        const bool over = file.ends_with(over_suffix);
        if (!over && !file.ends_with(user_suffix)) {
            continue;
        }
        const std::string name = file.substr(0, file.size() - (over ? over_suffix : user_suffix).size());
        const auto text = is_account_name(name) ? read_our_file(path(file, "")) : fail(Errc::refused, name);
        if (!text) {
            continue;
        }
        auto content = parse_account_record(*text);
        const bool whole = content && content->name == name;
        all.push_back({.name = name,
                       .over = over,
                       .content = whole ? std::optional(std::move(*content)) : std::nullopt});
    }
    return all;
}

Result<void> AccountFiles::put_link(Uid uid, std::string_view name, std::string_view suffix) const {
    const std::string link = path(std::to_string(number(uid)), suffix);
    const std::string target = fmt::format("{}{}", name, suffix);
    char there[NAME_MAX + 1];
    const ssize_t size = readlink(link.c_str(), there, sizeof there);
    if (size >= 0 && std::string_view(there, static_cast<std::size_t>(size)) == target) {
        return {};
    }
    if (symlink(target.c_str(), link.c_str()) == 0) {
        return {};
    }
    return errno == EEXIST
               ? fail(Errc::refused, fmt::format("{} is somebody else's, and is left alone", link))
               : fail(Errc::unavailable, fmt::format("{}: {}", link, std::strerror(errno)));
}

void AccountFiles::take_link(Uid uid, std::string_view name, std::string_view suffix) const {
    const std::string link = path(std::to_string(number(uid)), suffix);
    char there[NAME_MAX + 1];
    const ssize_t size = readlink(link.c_str(), there, sizeof there);
    if (size >= 0 &&
        std::string_view(there, static_cast<std::size_t>(size)) == fmt::format("{}{}", name, suffix)) {
        unlink(link.c_str());
    }
}

Result<void> AccountFiles::put(const AccountRecord& record) const {
    // The user last: who finds it finds all of it.
    const std::string beside = path(record.name, new_suffix);
    if (auto written = write_beside(beside, account_group_text(record)); !written) {
        return written;
    }
    if (auto placed = put_in_place(beside, path(record.name, group_suffix)); !placed) {
        return placed;
    }
    for (const std::string_view suffix : {group_suffix, user_suffix}) {
        if (auto linked = put_link(record.uid, record.name, suffix); !linked) {
            return linked;
        }
    }
    if (auto written = write_beside(beside, record_text(record)); !written) {
        return written;
    }
    return put_in_place(beside, path(record.name, user_suffix));
}

Result<void> AccountFiles::take(const std::string& name, Uid uid) const {
    // The user first: from here on it is no account.
    auto taken = take_away(path(name, user_suffix), path(name, over_suffix));
    take_link(uid, name, user_suffix);
    take_link(uid, name, group_suffix);
    remove_our_file(path(name, group_suffix));
    return taken;
}

void AccountFiles::remove_taken(const std::string& name) const {
    remove_our_file(path(name, over_suffix));
}

} // namespace jit

// SPDX-License-Identifier: MIT
#include "daemon/membership_files.h"

#include "core/fd.h"
#include "core/json.h"
#include "core/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

namespace jit {
namespace {

constexpr std::string_view marker = R"({"io.jitsudo":)";
constexpr std::string_view given_suffix = ".membership";
constexpr std::string_view ending_suffix = ".jit-ending";
constexpr const char* new_suffix = ".jit-new";
constexpr std::size_t largest = 4096;

std::unexpected<Error> failed(const std::string& path) {
    return fail(Errc::unavailable, fmt::format("{}: {}", path, std::strerror(errno)));
}

std::string somebody_elses(const std::string& path) {
    return fmt::format("{} is somebody else's, and is left alone: see what made it", path);
}

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

bool has_our_marker(std::string_view text) {
    return text.starts_with(marker);
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

Result<std::string> DropIns::read_ours(const std::string& path) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) {
        // A symbolic link is somebody else's.
        return errno == ENOENT  ? fail(Errc::not_found, path)
               : errno == ELOOP ? fail(Errc::refused, somebody_elses(path))
                                : failed(path);
    }
    struct stat status{};
    if (fstat(file.get(), &status) != 0) {
        return failed(path);
    }
    char buffer[largest];
    const ssize_t size =
        S_ISREG(status.st_mode) && status.st_uid == geteuid() ? read(file.get(), buffer, sizeof buffer) : 0;
    const std::string_view text(buffer, static_cast<std::size_t>(size > 0 ? size : 0));
    return has_our_marker(text) ? Result<std::string>(text) : fail(Errc::refused, somebody_elses(path));
}

Result<std::vector<DropIns::Found>> DropIns::list() const {
    std::vector<Found> all;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(directory_.c_str()), closedir);
    if (!directory) {
        return errno == ENOENT ? Result<std::vector<Found>>(std::move(all)) : failed(directory_);
    }
    while (const dirent* entry = readdir(directory.get())) {
        auto file = parse_drop_in_file(entry->d_name);
        if (!file) {
            continue;
        }
        if (const auto text = read_ours(fmt::format("{}/{}", directory_, entry->d_name))) {
            const auto content = parse_drop_in(*text);
            all.push_back(
                {.file = std::move(*file), .content = content ? std::optional(*content) : std::nullopt});
        }
    }
    return all;
}

Result<void> DropIns::prepare(const MembershipName& name, const DropIn& drop_in) const {
    const auto there = read_ours(path_of(name, DropInState::given));
    if (!there && there.error().code != Errc::not_found) {
        return std::unexpected(there.error());
    }
    const std::string beside = path_beside(name);
    const std::string text = drop_in_text(drop_in);
    unlink(beside.c_str()); // of a crash; nobody else has a use for the name
    const Fd file(open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    // Everybody's lookups read it.
    if (!file || fchmod(file.get(), 0644) != 0 ||
        write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        auto why = failed(beside);
        unlink(beside.c_str());
        return why;
    }
    return {};
}

Result<void> DropIns::put(const MembershipName& name) const {
    const std::string path = path_of(name, DropInState::given);
    const std::string beside = path_beside(name);
    const unsigned flags = read_ours(path) ? 0 : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, beside.c_str(), AT_FDCWD, path.c_str(), flags) != 0) {
        auto why = errno == EEXIST ? fail(Errc::refused, somebody_elses(path)) : failed(path);
        unlink(beside.c_str());
        return why;
    }
    return {};
}

Result<void> DropIns::take(const MembershipName& name) const {
    const std::string path = path_of(name, DropInState::given);
    if (const auto there = read_ours(path); !there) {
        return there.error().code == Errc::unavailable ? Result<void>(std::unexpected(there.error()))
                                                       : Result<void>(); // gone, or not ours
    }
    if (rename(path.c_str(), path_of(name, DropInState::ending).c_str()) != 0 && errno != ENOENT &&
        unlink(path.c_str()) != 0) {
        return failed(path);
    }
    return {};
}

void DropIns::remove_taken(const MembershipName& name) const {
    const std::string path = path_of(name, DropInState::ending);
    if (read_ours(path)) {
        unlink(path.c_str());
    }
}

} // namespace jit

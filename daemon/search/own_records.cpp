// SPDX-License-Identifier: MIT
#include "daemon/search/own_records.h"

#include "core/fd.h"
#include "core/read.h"
#include "daemon/account_files.h"
#include "daemon/membership_files.h"

#include <climits>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::size_t largest = 4096;
constexpr std::string_view user_suffix = ".user";
constexpr std::string_view group_suffix = ".group";

std::string text_of(int directory, const std::string& name) {
    struct stat status{};
    const bool ours = fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                      S_ISREG(status.st_mode) && status.st_uid == geteuid();
    return ours ? read_whole(directory, name.c_str(), largest) : std::string();
}

std::optional<AccountRecord> account_in(int directory, const std::string& name) {
    auto record = parse_account_record(text_of(directory, name + std::string(user_suffix)));
    return record && record->name == name ? std::optional(std::move(*record)) : std::nullopt;
}

} // namespace

bool is_own_record(int directory, const char* name) {
    std::string file = name;
    if (file.ends_with(".jit-over") || file.ends_with(".jit-new")) {
        return true; // which nobody reads, whoever made it
    }
    char target[NAME_MAX + 1];
    const ssize_t size = readlinkat(directory, name, target, sizeof target);
    if (size >= 0) {
        file.assign(target, static_cast<std::size_t>(size));
    }
    if (const auto membership = parse_drop_in_file(file)) {
        return size < 0 && parse_drop_in(text_of(directory, file)).has_value();
    }
    const std::string_view suffix = file.ends_with(user_suffix) ? user_suffix : group_suffix;
    if (!file.ends_with(suffix)) {
        return false;
    }
    const auto account = account_in(directory, file.substr(0, file.size() - suffix.size()));
    return account && (suffix == user_suffix || text_of(directory, file) == account_group_text(*account)) &&
           (size < 0 || name == std::to_string(number(account->uid)) + std::string(suffix));
}

} // namespace jit

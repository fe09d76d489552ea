// SPDX-License-Identifier: MIT
#include "helper/user_namespace.h"

#include "core/fd.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace jit {
namespace {

constexpr uid_t default_overflow_uid = 65534;

std::string read_start(const char* path) {
    const Fd file(open(path, O_RDONLY | O_CLOEXEC));
    std::array<char, 256> text{};
    const ssize_t length = file ? read(file.get(), text.data(), text.size()) : -1;
    return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

uid_t overflow_uid() {
    const std::string text = read_start("/proc/sys/kernel/overflowuid");
    uid_t uid = default_overflow_uid;
    std::from_chars(text.data(), text.data() + text.size(), uid);
    return uid;
}

} // namespace

bool is_initial_map(std::string_view uid_map) {
    constexpr std::array<std::string_view, 3> all = {"0", "0", "4294967295"};
    constexpr std::string_view blanks = " \t\n";
    for (const std::string_view number : all) {
        uid_map.remove_prefix(std::min(uid_map.find_first_not_of(blanks), uid_map.size()));
        const std::string_view word = uid_map.substr(0, uid_map.find_first_of(blanks));
        if (word != number) {
            return false;
        }
        uid_map.remove_prefix(word.size());
    }
    return uid_map.find_first_not_of(blanks) == std::string_view::npos;
}

bool is_unmapped(uid_t owner) {
    if (owner == 0 || owner != overflow_uid()) {
        return false;
    }
    const std::string map = read_start("/proc/self/uid_map"); // empty where nobody has been mapped yet
    return !is_initial_map(map);
}

} // namespace jit

// SPDX-License-Identifier: MIT
#include "daemon/published.h"

#include "core/fd.h"
#include "core/text.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <fcntl.h>

namespace jit {
namespace {

template <class Number>
bool read_number(std::string_view word, Number& value) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && end == word.data() + word.size() && !word.empty();
}

// The next word of a line, which it is taken from.
std::string_view next_word(std::string_view& line) {
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return word;
}

} // namespace

std::string published_text(const std::string& boot_id, const std::vector<Published>& all) {
    std::string text = fmt::format("jit-live-1 {}\n", boot_id);
    for (const Published& one : all) {
        text += fmt::format("{} {} {} {}", one.name, one.session ? std::to_string(*one.session) : "-",
                            one.time.time_since_epoch().count(), one.boot.time_since_epoch().count());
        for (const std::string& group : one.groups) {
            text += ' ' + group;
        }
        text += '\n';
    }
    return text;
}

Result<std::vector<Published>> parse_published(std::string_view text, const std::string& boot_id) {
    const std::string head = fmt::format("jit-live-1 {}\n", boot_id);
    if (!text.starts_with(head) || !text.ends_with('\n')) {
        return fail(Errc::invalid, "not what jitd publishes in this boot");
    }
    text.remove_prefix(head.size());
    std::vector<Published> all;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() + 1);
        Published one;
        one.name = next_word(line);
        const std::string_view session = next_word(line);
        std::uint32_t number = 0;
        std::int64_t time = 0;
        std::int64_t boot = 0;
        if (one.name.empty() || (session != "-" && !read_number(session, number)) ||
            !read_number(next_word(line), time) || !read_number(next_word(line), boot)) {
            return fail(Errc::invalid, "a line that can't be read");
        }
        while (!line.empty()) {
            one.groups.emplace_back(next_word(line));
            if (!is_account_name(one.groups.back())) {
                return fail(Errc::invalid, "a group that can't be one");
            }
        }
        if (session != "-") {
            one.session = number;
        }
        one.time = Time(Millis(time));
        one.boot = BootTime(Millis(boot));
        all.push_back(std::move(one));
    }
    return all;
}

Result<void> publish(const std::string& text, const std::string& path) {
    const std::string beside = path + ".new";
    Fd file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        rename(beside.c_str(), path.c_str()) != 0) {
        auto failed = fail(Errc::unavailable, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
        unlink(beside.c_str()); // on a full /run it would take what room is left
        return failed;
    }
    return {};
}

} // namespace jit

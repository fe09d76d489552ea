// SPDX-License-Identifier: MIT
// The keys of a role that hold its commands to less than root: core/confinement.h.
#include "core/capabilities.h"
#include "core/policy_table.h"
#include "core/text.h"

#include <charconv>
#include <climits>

namespace jit {
namespace {

constexpr std::uint64_t least_memory = std::uint64_t{1} << 20;
constexpr std::uint64_t most_memory = std::uint64_t{1} << 50;
constexpr std::int64_t most_processes = 4'194'304; // PID_MAX_LIMIT
constexpr std::size_t most_path_bytes = 32'768;    // of a list: all are told to jit-sudo in one message
constexpr std::size_t digest_length = 64;          // of SHA-256, in hex

bool is_digest(std::string_view text) {
    return text.size() == digest_length &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "512M": a whole number and one of K, M, G, T.
std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::string_view units = "KMGT";
    std::uint64_t size = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, size);
    if (error != std::errc() || rest + 1 != end) {
        return std::nullopt;
    }
    const auto unit = units.find(*rest);
    if (unit == std::string_view::npos || size > (most_memory >> (10 * (unit + 1)))) {
        return std::nullopt;
    }
    return size << (10 * (unit + 1));
}

void read_capabilities(Draft& draft, const Table& in, Confinement& confinement) {
    if (!in.has("capabilities")) {
        return;
    }
    std::uint64_t set = 0;
    for (const std::string& name :
         in.strings("capabilities", [](std::string_view) { return true; }, "the name of a capability")) {
        if (const auto number = capability_named(name)) {
            set |= capability_bit(*number);
        } else {
            draft.error(in.key_path("capabilities"),
                        fmt::format("there is no capability {}{}", in_quotes(name),
                                    did_you_mean(name, capability_names())));
        }
    }
    confinement.capabilities = set;
}

std::optional<std::vector<std::string>> read_paths(Draft& draft, const Table& in, std::string_view key) {
    if (!in.has(key)) {
        return std::nullopt;
    }
    auto paths = in.strings(key, is_plain_path, path_expected);
    std::size_t bytes = 0;
    for (const std::string& path : paths) {
        bytes += path.size();
    }
    if (bytes > most_path_bytes) {
        draft.error(in.key_path(key), fmt::format("more than {} bytes of paths", most_path_bytes));
    }
    return paths;
}

void read_digests(Draft& draft, const Table& in, const Role& role, Confinement& confinement) {
    in.each_key("digests", [&](const std::string& path, const Table& digests, const std::string& at) {
        const bool named = std::ranges::any_of(
            role.commands, [&](const CommandPattern& command) { return command.path() == path; });
        if (!named) {
            draft.error(at, "no command of this role has that path");
        }
        auto values = digests.strings(path, is_digest, "a SHA-256 digest: 64 of 0-9 and a-f");
        if (!digests.fills(path)) {
            draft.error(at, "expected at least one digest: with none it could never run");
        }
        confinement.digests[path] = std::move(values);
    });
}

void read_limits(Draft& draft, const Table& in, Confinement& confinement) {
    if (const auto text = in.text("memory")) {
        confinement.memory = parse_size(*text);
        if (!confinement.memory || *confinement.memory < least_memory) {
            draft.error(in.key_path("memory"),
                        fmt::format("expected a size such as \"512M\" or \"2G\", at least 1M, found {}",
                                    in_quotes(*text)));
        }
    }
    if (in.has("processes")) {
        const std::int64_t count = in.integer("processes", 1);
        if (count < 1 || count > most_processes) {
            draft.error(in.key_path("processes"),
                        fmt::format("expected 1 to {}, found {}", most_processes, count));
        } else {
            confinement.processes = static_cast<std::uint32_t>(count);
        }
    }
}

} // namespace

void read_confinement(Draft& draft, const Table& in, Role& role) {
    Confinement& confinement = role.confinement;
    read_capabilities(draft, in, confinement);
    confinement.no_new_privileges = in.boolean("no_new_privileges").value_or(false);
    confinement.write = read_paths(draft, in, "write");
    confinement.execute = read_paths(draft, in, "execute");
    read_digests(draft, in, role, confinement);
    if (const auto directory = in.text("directory")) {
        confinement.directory = *directory;
        if (*directory != "/" && !is_plain_path(*directory)) {
            draft.error(in.key_path("directory"),
                        fmt::format("expected {}, found {}", path_expected, in_quotes(*directory)));
        }
    }
    read_limits(draft, in, confinement);
    if (const auto service = in.text("second_factor")) {
        confinement.second_factor = *service;
        if (!is_service_name(*service)) {
            draft.error(
                in.key_path("second_factor"),
                fmt::format("expected the name of a PAM service: letters a-z, digits, _ and -, found {}",
                            in_quotes(*service)));
        }
    }
    for (const std::string_view key : confinement_keys) {
        if (in.has(key) && !in.fills("commands")) {
            draft.error(in.key_path(key), "of use only with 'commands'");
        }
    }
}

} // namespace jit

// SPDX-License-Identifier: MIT
// Reads the tables of a policy. Only policy_load.cpp and policy_confinement.cpp include this: toml++ takes
// long to compile, and is set up here.
#pragma once

#include "core/policy_draft.h"
#include "core/text.h"

// toml++ asserts, or in a release build promises the compiler, that a key begins with a key character;
// malformed input
// ("[&") breaks that, and is then found and reported by the next statement anyway.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

namespace jit {

inline constexpr std::size_t longest_string = 4096;
inline constexpr std::size_t most_elements = 1024; // of an array

using Keys = std::span<const std::string_view>;

// What a node is, to end a message with.
inline std::string found(const toml::node& node) {
    if (const auto* value = node.as_integer()) {
        return fmt::format("found the integer {}", value->get());
    }
    if (const auto* value = node.as_string()) {
        return "found the string " + in_quotes(value->get());
    }
    if (const auto* value = node.as_boolean()) {
        return value->get() ? "found true" : "found false";
    }
    if (node.is_table()) {
        return "found a table";
    }
    if (node.is_array()) {
        return "found an array";
    }
    return node.is_floating_point() ? "found a number with a fraction" : "found a date or a time";
}

// One table: keeps where its keys are, says which it doesn't know, and reads the others. What is wrong
// becomes a problem of the draft, and a default.
class Table {
public:
    Table(Draft& draft, std::string file, std::string path, const toml::table& table, Keys keys)
        : draft_(draft), file_(std::move(file)), path_(std::move(path)), table_(table) {
        for (const auto& [key, node] : table_) {
            const std::string_view name = key.str();
            draft_.places[key_path(name)] = Where{file_, key.source().begin.line};
            if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
                draft_.error(key_path(name),
                             fmt::format("unknown key {}{}", in_quotes(name), did_you_mean(name, keys)));
            }
        }
    }

    [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }

    void require(std::string_view key, std::string_view what) const {
        if (!has(key)) {
            draft_.error(path_, fmt::format("'{}' is missing: {}", key, what));
        }
    }

    [[nodiscard]] std::optional<std::string> text(std::string_view key) const {
        const toml::node* node = table_.get(key);
        return node != nullptr ? string_at(*node, key_path(key), "a string") : std::nullopt;
    }

    [[nodiscard]] std::optional<Millis> duration(std::string_view key) const {
        const toml::node* node = table_.get(key);
        if (node == nullptr) {
            return std::nullopt;
        }
        const auto written = string_at(
            *node, key_path(key), "a duration in quotes with a unit, such as \"45s\", \"30m\" or \"1h\"");
        if (!written) {
            return std::nullopt;
        }
        const auto parsed = parse_duration(*written);
        if (!parsed) {
            draft_.error(key_path(key), fmt::format("{}: {}", in_quotes(*written), parsed.error().message));
            return std::nullopt;
        }
        return *parsed;
    }

    [[nodiscard]] std::optional<bool> boolean(std::string_view key) const {
        const toml::node* node = table_.get(key);
        if (node == nullptr) {
            return std::nullopt;
        }
        if (const auto* value = node->as_boolean()) {
            return value->get();
        }
        draft_.error(key_path(key), "expected true or false, " + found(*node));
        return std::nullopt;
    }

    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t otherwise) const {
        const toml::node* node = table_.get(key);
        if (node == nullptr) {
            return otherwise;
        }
        if (const auto* value = node->as_integer()) {
            return value->get();
        }
        draft_.error(key_path(key), "expected a whole number, " + found(*node));
        return otherwise;
    }

    // Strings that are all `valid`, none twice. `expected` says what one is.
    [[nodiscard]] std::vector<std::string> strings(std::string_view key, bool (*valid)(std::string_view),
                                                   std::string_view expected) const {
        std::vector<std::string> values;
        each(key, [&](const toml::node& node, const std::string& path) {
            auto value = string_at(node, path, expected);
            if (!value) {
                return;
            }
            if (!valid(*value)) {
                draft_.error(path, fmt::format("expected {}, found {}", expected, in_quotes(*value)));
            } else if (std::find(values.begin(), values.end(), *value) != values.end()) {
                draft_.error(path, in_quotes(*value) + " is listed twice");
            } else {
                values.push_back(std::move(*value));
            }
        });
        return values;
    }

    [[nodiscard]] std::vector<Subject> subjects(std::string_view key) const {
        constexpr auto is_subject = [](std::string_view name) {
            return is_account_name(name.starts_with('@') ? name.substr(1) : name);
        };
        std::vector<Subject> values;
        for (const std::string& name :
             strings(key, is_subject, "a person, or a Unix group such as \"@sre\"")) {
            const bool is_group = name.starts_with('@');
            values.push_back(
                {is_group ? Subject::Kind::group : Subject::Kind::person, name.substr(is_group ? 1 : 0)});
            draft_.subjects.emplace_back(key_path(key), values.back());
        }
        return values;
    }

    [[nodiscard]] std::vector<CommandPattern> commands(std::string_view key) const {
        std::vector<CommandPattern> values;
        each(key, [&](const toml::node& node, const std::string& path) {
            if (auto pattern = command_at(node, path)) {
                values.push_back(std::move(*pattern));
                if (values.back().any_arguments()) {
                    draft_.warn(path, "** allows any arguments, options included");
                }
                if (values.back().has_open_option()) {
                    draft_.warn(
                        path, "a wildcard in an option allows any value, and with it perhaps other options");
                }
            }
        });
        return values;
    }

    [[nodiscard]] std::vector<Hours> hours(std::string_view key) const {
        std::vector<Hours> values;
        each(key, [&](const toml::node& node, const std::string& path) {
            const auto written =
                string_at(node, path, "hours such as \"Mon..Fri 08:00..18:00 Europe/Zurich\"");
            auto parsed = written ? parse_hours(*written) : Result<Hours>(Hours());
            if (!parsed) {
                draft_.error(path, parsed.error().message);
            } else if (written) {
                values.push_back(std::move(*parsed));
            }
        });
        return values;
    }

    // Calls `read` with each element of an array and its path.
    void each(std::string_view key,
              const std::function<void(const toml::node&, const std::string&)>& read) const {
        const toml::node* node = table_.get(key);
        if (node == nullptr) {
            return;
        }
        const toml::array* array = node->as_array();
        if (array == nullptr) {
            draft_.error(key_path(key), "expected an array [ … ], " + found(*node));
            return;
        }
        if (array->size() > most_elements) {
            draft_.error(key_path(key), fmt::format("more than {} elements", most_elements));
            return;
        }
        for (std::size_t i = 0; i < array->size(); ++i) {
            const std::string path = fmt::format("{}[{}]", key_path(key), i);
            draft_.places[path] = Where{file_, (*array)[i].source().begin.line};
            read((*array)[i], path);
        }
    }

    // Of a table whose keys are the writer's own choice: calls `read` with each key, the table, and the key's
    // path.
    void
    each_key(std::string_view key,
             const std::function<void(const std::string&, const Table&, const std::string&)>& read) const {
        const toml::node* node = table_.get(key);
        if (node == nullptr) {
            return;
        }
        const toml::table* table = node->as_table();
        if (table == nullptr) {
            draft_.error(key_path(key), "expected a table { … }, " + found(*node));
            return;
        }
        std::vector<std::string_view> keys;
        for (const auto& [name, value] : *table) {
            keys.push_back(name.str());
        }
        if (keys.size() > most_elements) {
            draft_.error(key_path(key), fmt::format("more than {} keys", most_elements));
            return;
        }
        const Table entries(draft_, file_, key_path(key), *table, keys);
        for (const std::string_view name : keys) {
            read(std::string(name), entries, entries.key_path(name));
        }
    }

    // Of a table of its own: calls `read` with it.
    void table(std::string_view key, Keys keys, const std::function<void(const Table&)>& read) const {
        const toml::node* node = table_.get(key);
        if (node == nullptr) {
            return;
        }
        if (const toml::table* table = node->as_table()) {
            return read(Table(draft_, file_, key_path(key), *table, keys));
        }
        draft_.error(key_path(key), "expected a table { … }, " + found(*node));
    }

    // Whether the key is that string.
    [[nodiscard]] bool is(std::string_view key, std::string_view text) const {
        const toml::node* node = table_.get(key);
        const auto* value = node == nullptr ? nullptr : node->as_string();
        return value != nullptr && value->get() == text;
    }

    // Whether the key is there and is not an empty array.
    [[nodiscard]] bool fills(std::string_view key) const {
        const toml::node* node = table_.get(key);
        return node != nullptr && (!node->is_array() || !node->as_array()->empty());
    }

    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] std::string key_path(std::string_view key) const {
        return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
    }

private:
    std::optional<std::string> string_at(const toml::node& node, const std::string& path,
                                         std::string_view expected) const {
        const auto* value = node.as_string();
        if (value == nullptr) {
            draft_.error(path, fmt::format("expected {}, {}", expected, found(node)));
            return std::nullopt;
        }
        if (!is_printable(value->get())) { // by an escape: scan_policy has seen the rest
            draft_.error(path, "a control or an invisible character in " + in_quotes(value->get()));
            return std::nullopt;
        }
        if (value->get().size() > longest_string) {
            draft_.error(path, fmt::format("longer than {} bytes", longest_string));
            return std::nullopt;
        }
        return value->get();
    }

    std::optional<CommandPattern> command_at(const toml::node& node, const std::string& path) const {
        constexpr auto expected = "a command: a string, or an array of strings, one a word";
        Result<CommandPattern> pattern;
        if (const toml::array* array = node.as_array()) {
            std::vector<std::string> words;
            for (const toml::node& element : *array) {
                auto word = string_at(element, path, expected);
                if (!word) {
                    return std::nullopt;
                }
                words.push_back(std::move(*word));
            }
            pattern = CommandPattern::parse(words);
        } else {
            const auto line = string_at(node, path, expected);
            if (!line) {
                return std::nullopt;
            }
            pattern = CommandPattern::parse(*line);
        }
        if (!pattern) {
            draft_.error(path, pattern.error().message);
            return std::nullopt;
        }
        return *pattern;
    }

    Draft& draft_;
    std::string file_;
    std::string path_;
    const toml::table& table_;
};

inline constexpr std::array<std::string_view, 9> confinement_keys = {
    "capabilities", "no_new_privileges", "write",        "execute", "digests", "directory",
    "memory",       "processes",         "second_factor"};

// The keys of a role that hold its commands to less than root. Comes after `commands`.
void read_confinement(Draft& draft, const Table& in, Role& role);
void read_account(Draft& draft, const Table& in, Role& role); // after its memberships
void read_account_uids(Draft& draft, const Table& in);

} // namespace jit

// SPDX-License-Identifier: MIT
#include "ctl/pam_lines.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace jit {
namespace {

constexpr std::string_view blanks = " \t"; // libpam's; a line's end is not in it here
constexpr int deepest_include = 16;        // PAM_SUBSTACK_MAX_LEVEL
constexpr std::size_t most_steps = 4096;

constexpr std::array<std::string_view, 33> returns = {"success",
                                                      "open_err",
                                                      "symbol_err",
                                                      "service_err",
                                                      "system_err",
                                                      "buf_err",
                                                      "perm_denied",
                                                      "auth_err",
                                                      "cred_insufficient",
                                                      "authinfo_unavail",
                                                      "user_unknown",
                                                      "maxtries",
                                                      "new_authtok_reqd",
                                                      "acct_expired",
                                                      "session_err",
                                                      "cred_unavail",
                                                      "cred_expired",
                                                      "cred_err",
                                                      "no_module_data",
                                                      "conv_err",
                                                      "authtok_err",
                                                      "authtok_recover_err",
                                                      "authtok_lock_busy",
                                                      "authtok_disable_aging",
                                                      "try_again",
                                                      "ignore",
                                                      "abort",
                                                      "authtok_expired",
                                                      "module_unknown",
                                                      "bad_item",
                                                      "conv_again",
                                                      "incomplete",
                                                      "default"};

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return result;
}

std::unexpected<Error> wrong(const PamFile& file, std::size_t line, const std::string& what) {
    return fail(Errc::refused, fmt::format("{}: {}", file.where(line), what));
}

// One word, or what stands in [brackets] (where \] is a bracket): _pam_StrTok. `bracketed` tells which.
struct Token {
    std::string text;
    bool bracketed = false;
};

// None where a bracket isn't closed.
std::optional<std::vector<Token>> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    for (std::size_t at = text.find_first_not_of(blanks); at != std::string_view::npos;
         at = text.find_first_not_of(blanks, at)) {
        Token token;
        if (text[at] == '[') {
            token.bracketed = true;
            for (++at; at < text.size() && text[at] != ']'; ++at) {
                if (text.substr(at).starts_with("\\]")) {
                    ++at;
                }
                token.text += text[at];
            }
            if (at++ == text.size()) {
                return std::nullopt;
            }
        } else {
            const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
            token.text = text.substr(at, end - at);
            at = end;
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

// "success=1 default = ignore". None where libpam would take all of it for "bad".
std::optional<PamControl> pairs_of(std::string_view text) {
    PamControl control;
    const auto skip = [&text] { text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size())); };
    const auto take = [&text](auto belongs) {
        const auto end = std::ranges::find_if_not(text, belongs);
        const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(word.size());
        return word;
    };
    const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    for (skip(); !text.empty(); skip()) {
        const std::string_view value = take(is_word);
        skip();
        if (std::ranges::find(returns, value) == returns.end() || !text.starts_with('=')) {
            return std::nullopt;
        }
        text.remove_prefix(1);
        skip();
        const std::string_view action =
            take([&is_word](char c) { return is_word(c) || (c >= '0' && c <= '9'); });
        if (action == "done") {
            control.ends = true;
        } else if (action == "reset") {
            control.resets = true;
        } else if (action != "ok" && action != "ignore" && action != "bad" && action != "die") {
            unsigned jump = 0;
            const auto [end, error] = std::from_chars(action.data(), action.data() + action.size(), jump);
            if (error != std::errc() || end != action.data() + action.size() || jump == 0) {
                return std::nullopt;
            }
            control.jump = std::max(control.jump, jump);
        }
    }
    return control;
}

std::optional<PamControl> control_of(const Token& token) {
    using Kind = PamControl::Kind;
    if (token.bracketed) {
        return pairs_of(token.text);
    }
    const std::string word = lower(token.text);
    if (word == "required" || word == "requisite" || word == "optional") {
        return PamControl();
    }
    if (word == "sufficient") {
        return PamControl{.kind = Kind::module, .ends = true, .resets = false, .jump = 0};
    }
    if (word == "include" || word == "substack") {
        return PamControl{.kind = word == "include" ? Kind::include : Kind::substack,
                          .ends = false,
                          .resets = false,
                          .jump = 0};
    }
    return std::nullopt;
}

std::optional<PamType> type_of(const Token& token) {
    if (token.bracketed) {
        return std::nullopt;
    }
    std::string word = lower(token.text);
    if (word.starts_with('-')) { // a missing module isn't logged
        word.erase(0, 1);
    }
    for (const PamType type : {PamType::auth, PamType::account, PamType::password, PamType::session}) {
        if (word == name_of(type)) {
            return type;
        }
    }
    return std::nullopt;
}

Result<PamRule> rule_of(const PamFile& file, std::size_t first, std::size_t last, std::string_view text) {
    PamRule rule{.first = first,
                 .last = last,
                 .type = {},
                 .control_text = {},
                 .control = {},
                 .module = {},
                 .arguments = {}};
    if (text.size() > longest_pam_rule) {
        return wrong(file, first, "this rule is longer than all versions of PAM can read; shorten it");
    }
    if (text.find("\\#") != std::string_view::npos) {
        return wrong(file, first, "\\# in a rule isn't read alike by all versions of PAM; write it without");
    }
    // The comment begins at the first #, wherever it stands.
    const auto tokens = tokens_of(text.substr(0, text.find('#')));
    if (!tokens) {
        return wrong(file, first, "a [ without its ]; write the rule anew");
    }
    std::size_t at = 0;
    if (lower(tokens->front().text) == "@include" && !tokens->front().bracketed) {
        rule.type = PamType::any;
        rule.control.kind = PamControl::Kind::include;
        rule.control_text = "include";
        at = 1;
    } else {
        const auto type = type_of(tokens->front());
        if (!type) {
            return wrong(file, first,
                         fmt::format("'{}' is no type of rule: auth, account, password or session",
                                     escape(tokens->front().text)));
        }
        const auto control = tokens->size() > 1 ? control_of((*tokens)[1]) : std::nullopt;
        if (!control) {
            return wrong(file, first,
                         fmt::format("'{}' is no control that PAM knows; see pam.conf(5)",
                                     tokens->size() > 1 ? escape((*tokens)[1].text) : ""));
        }
        rule.type = *type;
        rule.control = *control;
        rule.control_text = lower((*tokens)[1].text);
        at = 2;
    }
    if (tokens->size() <= at || (*tokens)[at].text.empty()) {
        return wrong(file, first, "a rule without a module; complete or remove it");
    }
    rule.module = (*tokens)[at].text;
    for (++at; at < tokens->size(); ++at) {
        rule.arguments.push_back((*tokens)[at].text);
    }
    if (rule.control.kind != PamControl::Kind::module && !rule.arguments.empty()) {
        return wrong(file, first, "something follows the name of the file that is included; remove it");
    }
    return rule;
}

// Bytes that end or join words in one version of libpam, or for one reader, and not in another.
Result<void> check_bytes(const PamFile& file, std::size_t line) {
    const std::string& text = file.lines[line];
    if (text.find('\r') != std::string::npos) {
        return wrong(file, line,
                     fmt::format("ends in a carriage return, which PAM takes for a part of the last word; "
                                 "try: sed -i 's/\\r$//' {}",
                                 file.shown));
    }
    if (text.size() > longest_pam_rule) {
        return wrong(file, line, "this line is longer than all versions of PAM can read; shorten it");
    }
    const bool plain = std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= ' ' && byte != 0x7f) || byte == '\t';
    });
    return plain ? Result<void>() : wrong(file, line, "holds a control character; remove it");
}

Result<void> read_rules(PamFile& file) {
    for (std::size_t at = 0; at < file.lines.size(); ++at) {
        if (auto good = check_bytes(file, at); !good) {
            return good;
        }
        const std::size_t first = at;
        std::string text;
        bool more = true;
        while (more) {
            const std::string_view line = file.lines[at];
            const std::size_t begin = line.find_first_not_of(blanks);
            const bool is_rule = begin != std::string_view::npos && line[begin] != '#';
            const std::string_view trimmed = line.substr(0, line.find_last_not_of(blanks) + 1);
            more = trimmed.ends_with('\\');
            if ((!is_rule && (more || at != first)) || (more && trimmed != line) ||
                (more && line.find('#') != std::string_view::npos)) {
                return wrong(
                    file, at,
                    "whether a rule goes on here isn't plain: a \\ must be the last character of its "
                    "line, not in a comment, and followed by the rest of the rule");
            }
            if (is_rule) {
                text += line.substr(0, more ? line.size() - 1 : line.size());
                text += more ? " " : "";
            }
            if (more && at + 1 == file.lines.size()) {
                return wrong(file, at, "the last line ends in a \\; remove it");
            }
            if (more) {
                if (auto good = check_bytes(file, ++at); !good) {
                    return good;
                }
            }
        }
        if (text.find_first_not_of(blanks) != std::string::npos) {
            auto rule = rule_of(file, first, at, text);
            if (!rule) {
                return std::unexpected(rule.error());
            }
            file.rules.push_back(std::move(*rule));
        }
    }
    return {};
}

class Steps {
public:
    Steps(PamType type, const ReadIncluded& read, bool into_substacks)
        : type_(type), read_(read), into_substacks_(into_substacks) {}

    // `top`: the rule of the first file that brought this one in.
    Result<void> add(const PamFile& file, int depth, std::optional<std::size_t> top) {
        using Kind = PamControl::Kind;
        for (std::size_t i = 0; i < file.rules.size(); ++i) {
            const PamRule& rule = file.rules[i];
            if (!rule.concerns(type_)) {
                continue;
            }
            const std::size_t origin = top.value_or(i);
            if (rule.control.kind != Kind::include) {
                steps_.push_back({.rule = origin,
                                  .where = file.where(rule.first),
                                  .control = rule.control,
                                  .module = rule.module});
            }
            const bool inner = rule.control.kind == Kind::include ||
                               (rule.control.kind == Kind::substack && into_substacks_);
            if (inner && depth == deepest_include) {
                return wrong(file, rule.first, "files include each other too deeply for PAM");
            }
            if (steps_.size() > most_steps || ++included_ > most_steps) {
                return wrong(file, rule.first, "includes more rules than can be meant");
            }
            if (inner) {
                if (auto added = include(file, rule, depth, origin); !added) {
                    return added;
                }
            }
        }
        return {};
    }

    std::vector<PamStep> take() { return std::move(steps_); }

private:
    Result<void> include(const PamFile& file, const PamRule& rule, int depth, std::size_t origin) {
        const auto text = read_(rule.module);
        if (!text) {
            return wrong(file, rule.first,
                         fmt::format("includes {}: {}", escape(rule.module), text.error().message));
        }
        const auto inner = parse_pam(rule.module, *text);
        return inner ? add(*inner, depth + 1, origin) : std::unexpected(inner.error());
    }

    PamType type_;
    const ReadIncluded& read_;
    bool into_substacks_;
    std::size_t included_ = 0;
    std::vector<PamStep> steps_;
};

} // namespace

std::string_view name_of(PamType type) {
    constexpr std::array<std::string_view, 5> names = {"auth", "account", "password", "session", "any"};
    return names[static_cast<std::size_t>(type)];
}

bool PamRule::is_module(std::string_view name) const {
    return control.kind == PamControl::Kind::module &&
           std::string_view(module).substr(module.rfind('/') + 1) == name;
}

std::string PamFile::text() const {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        text += lines[i];
        text += i + 1 < lines.size() || final_newline ? "\n" : "";
    }
    return text;
}

std::string PamFile::where(std::size_t line) const {
    return fmt::format("{}:{}", shown, line + 1);
}

Result<PamFile> parse_pam(const std::string& path, std::string_view text) {
    PamFile file{.shown = escape(path), .lines = {}, .final_newline = text.ends_with('\n'), .rules = {}};
    if (text.size() > largest_pam_file) {
        return fail(Errc::refused, fmt::format("{}: larger than a PAM file can be", file.shown));
    }
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        file.lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (auto read = read_rules(file); !read) {
        return std::unexpected(read.error());
    }
    return file;
}

Result<std::vector<PamStep>> steps_of(const PamFile& file, PamType type, const ReadIncluded& read_included,
                                      bool into_substacks) {
    Steps steps(type, read_included, into_substacks);
    if (auto added = steps.add(file, 0, std::nullopt); !added) {
        return std::unexpected(added.error());
    }
    return steps.take();
}

} // namespace jit

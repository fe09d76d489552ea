// SPDX-License-Identifier: MIT
// The form of the policy: TOML to Policy, key by key. Whether it makes sense is for policy_check.cpp.
#include "core/notices.h"
#include "core/policy_table.h"
#include "core/text.h"
#include "core/variables.h"

#include <regex.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <type_traits>

namespace jit {
namespace {

constexpr unsigned most_approvals = 16; // of one stage
constexpr std::size_t most_stages = 8;
constexpr unsigned most_repetitions = 1024; // in a ticket's pattern
constexpr std::size_t longest_ticket = 256; // its pattern
constexpr std::size_t most_hours = 16;
constexpr std::int64_t most_uses = 10'000;
constexpr Millis shortest_idle =
    std::chrono::minutes(1); // a terminal's times are 8 s old (drivers/tty/tty_io.c)

constexpr std::array<std::string_view, 5> top_keys = {"site", "person", "people", "risk", "role"};
constexpr std::array<std::string_view, 7> site_keys = {"help",    "pending", "auditors",    "auth_timeout",
                                                       "notices", "search",  "account_uids"};
constexpr std::array<std::string_view, 2> person_keys = {"accounts", "principals"};
constexpr std::array<std::string_view, 2> people_keys = {"members", "signers"};
constexpr std::array<std::string_view, 2> risk_keys = {"auto_approve", "stages"};
constexpr std::array<std::string_view, 3> stage_keys = {"from", "count", "signed"};
constexpr std::array<std::string_view, 29> role_keys = {
    "title",    "risk",         "eligible",          "max",   "extend",  "needs",        "run_as",
    "commands", "groups",       "memberships",       "login", "ticket",  "authenticate", "auth_timeout",
    "env",      "capabilities", "no_new_privileges", "write", "execute", "digests",      "directory",
    "memory",   "processes",    "second_factor",     "uses",  "idle",    "closes",       "account",
    "hours"};
static_assert(std::ranges::all_of(confinement_keys, [](std::string_view key) {
    return std::ranges::find(role_keys, key) != role_keys.end();
}));

// Principals are compared whole with those in an allowed_signers file, where blanks and commas separate and
// * ? ! are patterns (ssh-keygen(1), ALLOWED SIGNERS).
bool is_principal(std::string_view name) {
    return !name.empty() && name.size() <= 256 && name.find_first_of(" \t,*?!\"#") == std::string_view::npos;
}

std::string regex_message(int code, const regex_t& regex) {
    std::array<char, 128> message{};
    regerror(code, &regex, message.data(), message.size());
    return message.data();
}

constexpr std::string_view account_expected = "an account name";
constexpr std::string_view group_expected = "the name of a Unix group, without @";

// No day goes by on one password.
std::optional<Millis> read_auth_timeout(Draft& draft, const Table& in) {
    constexpr Millis most = std::chrono::hours(24);
    if (in.is("auth_timeout", "0s")) {
        return Millis{0};
    }
    const auto timeout = in.duration("auth_timeout");
    if (timeout && *timeout > most) {
        draft.error(in.key_path("auth_timeout"), "at most 24h; \"0s\" asks every time");
    }
    return timeout;
}

void read_notices(Draft& draft, const Table& in, std::vector<Millis>& notices) {
    if (!in.has("notices")) {
        return;
    }
    notices.clear();
    in.each("notices", [&](const toml::node& node, const std::string& path) {
        const auto text = node.value<std::string>();
        const auto before =
            text ? parse_duration(*text)
                 : Result<Millis>(fail(Errc::invalid, "expected a duration in quotes, such as \"5m\""));
        if (!before) {
            draft.error(path, before.error().message);
        } else if (*before > longest_before_end) {
            draft.error(path, fmt::format("at most {}", format_duration(longest_before_end)));
        } else {
            notices.push_back(*before);
        }
    });
    if (notices.size() > most_notices) {
        draft.error(in.key_path("notices"), fmt::format("at most {} of them", most_notices));
    }
    std::ranges::sort(notices, std::greater());
    notices.erase(std::ranges::unique(notices).begin(), notices.end());
}

void read_site(Draft& draft, const Table& in) {
    Site& site = draft.policy.site;
    site.help = in.text("help").value_or("");
    site.pending = in.duration("pending").value_or(site.pending);
    site.auditors = in.subjects("auditors");
    site.auth_timeout = read_auth_timeout(draft, in).value_or(site.auth_timeout);
    read_notices(draft, in, site.notices);
    if (in.has("search")) {
        site.search = in.strings("search", is_plain_path, path_expected);
    }
    read_account_uids(draft, in);
}

void read_person(Draft&, const Table& in, Person& person) {
    person.accounts = in.strings("accounts", is_account_name, account_expected);
    if (!in.has("accounts")) {
        person.accounts = {person.name};
    }
    person.principals =
        in.strings("principals", is_principal, "a principal, without blanks, commas and wildcards");
    if (!in.has("principals")) {
        person.principals = {person.name};
    }
}

void read_people(Draft& draft, const Table& in, People& people) {
    in.require("members", "persons and groups, such as members = [\"bob\", \"@sre-leads\"]");
    people.members = in.subjects("members");
    if (in.has("members") && !in.fills("members")) {
        draft.error(in.key_path("members"), "expected at least one person or group");
    }
    if (const auto signers = in.text("signers")) {
        people.signers = *signers;
        if (!signers->starts_with('/')) {
            draft.error(in.key_path("signers"), "expected the absolute path of an allowed_signers file");
        }
    }
}

void read_risk(Draft& draft, const Table& in, Risk& risk) {
    risk.auto_approve = in.duration("auto_approve");
    in.each("stages", [&](const toml::node& node, const std::string& path) {
        Stage stage; // also a bad one keeps its place, so that stages[1] is the second
        if (const toml::table* table = node.as_table()) {
            const Table fields(draft, in.file(), path, *table, stage_keys);
            fields.require("from", "the [people] who approve");
            stage.from = fields.text("from").value_or("");
            const std::int64_t count = fields.integer("count", 1);
            if (count < 1 || count > most_approvals) {
                draft.error(path + ".count",
                            fmt::format("expected 1 to {}, found {}", most_approvals, count));
            } else {
                stage.count = static_cast<unsigned>(count);
            }
            stage.is_signed = fields.boolean("signed").value_or(false);
        } else {
            draft.error(path, "expected a stage such as { from = \"oncall\" }, " + found(node));
        }
        risk.stages.push_back(std::move(stage));
    });
    if (risk.stages.size() > most_stages) {
        draft.error(in.key_path("stages"), fmt::format("more than {} stages", most_stages));
        risk.stages.resize(most_stages);
    }
    if (!in.fills("auto_approve") && !in.fills("stages")) {
        draft.error("risk." + risk.name, "neither 'auto_approve' nor 'stages': nobody could ever say yes");
    }
}

// How large `{n,m}` can make a pattern: glibc copies what is repeated, so nested repetitions multiply.
unsigned repetitions(std::string_view pattern) {
    unsigned product = 1;
    unsigned number = 0;
    for (const char c : pattern) {
        if (c >= '0' && c <= '9') {
            number = std::min(number * 10 + static_cast<unsigned>(c - '0'), most_repetitions + 1);
            continue;
        }
        if (c == '}') {
            product = std::min(product * std::max(number, 1U), most_repetitions + 1);
        }
        number = 0;
    }
    return product;
}

bool has_backreference(std::string_view pattern) {
    for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
        if (pattern[i] != '\\') {
            continue;
        }
        ++i;
        if (pattern[i] >= '1' && pattern[i] <= '9') {
            return true;
        }
    }
    return false;
}

void check_ticket(Draft& draft, const std::string& key, const std::string& pattern) {
    if (pattern.empty()) {
        draft.error(key, "an empty pattern; leave the key out where no ticket is wanted");
        return;
    }
    // Whatever a policy holds, judging a ticket must take a moment only.
    if (pattern.size() > longest_ticket || repetitions(pattern) > most_repetitions ||
        has_backreference(pattern)) {
        draft.error(
            key, fmt::format("too costly a pattern: at most {} bytes and {} repetitions, no backreferences",
                             longest_ticket, most_repetitions));
        return;
    }
    regex_t regex{};
    if (const int code = regcomp(&regex, pattern.c_str(), REG_EXTENDED | REG_NOSUB); code != 0) {
        draft.error(key, fmt::format("{} is not an extended regular expression: {}", in_quotes(pattern),
                                     regex_message(code, regex)));
        return;
    }
    regfree(&regex);
}

// What ends a grant before its time.
void read_ends(Draft& draft, const Table& in, Role& role) {
    if (in.has("uses")) {
        const std::int64_t uses = in.integer("uses", 1);
        if (uses < 1 || uses > most_uses) {
            draft.error(in.key_path("uses"),
                        fmt::format("expected 1 to {} commands, found {}", most_uses, uses));
        }
        role.uses = static_cast<std::uint32_t>(std::clamp(uses, std::int64_t{1}, most_uses));
    }
    role.idle = in.duration("idle");
    if (role.idle && *role.idle < shortest_idle) {
        draft.error(in.key_path("idle"), fmt::format("at least {}", format_duration(shortest_idle)));
    }
    role.closes = in.boolean("closes").value_or(false);
    role.hours = in.hours("hours");
    if (in.has("hours") && (!in.fills("hours") || role.hours.size() > most_hours)) {
        draft.error(in.key_path("hours"), fmt::format("expected 1 to {} of them", most_hours));
    }
}

void read_role(Draft& draft, const Table& in, Role& role) {
    in.require("risk", "the [risk] that says who approves");
    in.require("eligible", "who may ask, such as eligible = [\"alice\", \"@sre\"]");
    in.require("max", "the longest one grant may last, such as max = \"1h\"; there is no \"forever\"");
    role.title = in.text("title").value_or("");
    role.risk = in.text("risk").value_or("");
    role.eligible = in.subjects("eligible");
    if (in.has("eligible") && !in.fills("eligible")) {
        draft.error(in.key_path("eligible"), "expected at least one person or group");
    }
    role.max = in.duration("max").value_or(Millis{0});
    role.extend = in.duration("extend");
    role.needs = in.duration("needs").value_or(Millis{0});
    read_ends(draft, in, role);
    role.commands = in.commands("commands");
    role.run_as = in.strings("run_as", is_account_name, account_expected);
    if (in.fills("commands") && !in.has("run_as")) {
        role.run_as = {"root"};
    } else if (in.fills("commands") && !in.fills("run_as")) {
        draft.error(in.key_path("run_as"),
                    "commands that nobody could run: name an account, or leave it out for root");
    } else if (in.fills("run_as") && !in.fills("commands")) {
        draft.error(in.key_path("run_as"), "of use only with 'commands'");
    }
    role.groups = in.strings("groups", is_account_name, group_expected);
    role.memberships = in.strings("memberships", is_account_name, group_expected);
    role.login =
        in.strings("login", is_service_name, "the name of a PAM service: letters a-z, digits, _ and -");
    for (const std::string& service : role.login) {
        // One door under two names to PAM, and one to pam_jit.
        if (service == "su-l" || service == "sudo-i") {
            draft.error(in.key_path("login"), "write \"" + service.substr(0, service.find('-')) +
                                                  "\", which opens " + service + " as well");
        }
    }
    read_account(draft, in, role);
    if (const auto ticket = in.text("ticket")) {
        role.ticket = *ticket;
        check_ticket(draft, in.key_path("ticket"), role.ticket);
    }
    role.authenticate = in.boolean("authenticate");
    role.auth_timeout = read_auth_timeout(draft, in);
    if (in.has("auth_timeout") && role.authenticate == false) {
        draft.error(in.key_path("auth_timeout"), "of no use with authenticate = false");
    }
    role.env = in.strings("env", [](std::string_view) { return true; }, "the name of a variable");
    for (const std::string& pattern : role.env) {
        if (const auto wrong = wrong_variable_pattern(pattern)) {
            draft.error(in.key_path("env"), in_quotes(pattern) + ": " + *wrong);
        }
    }
    if (in.fills("env") && !in.fills("commands")) {
        draft.error(in.key_path("env"), "of use only with 'commands'");
    }
    read_confinement(draft, in, role);
    if (!in.fills("commands") && !in.fills("groups") && !in.fills("memberships") && !in.fills("login")) {
        draft.error("role." + role.name, "gives nothing: no commands, groups, memberships or login");
    }
}

// [role.NAME] and the like: the tables of one kind.
template <class Value>
void read_named(Draft& draft, const std::string& file, std::string_view kind, const toml::node& node,
                Keys keys, std::map<std::string, Value, std::less<>>& values,
                void (*read)(Draft&, const Table&, Value&)) {
    const toml::table* tables = node.as_table();
    if (tables == nullptr) {
        draft.error(std::string(kind), fmt::format("expected tables [{}.NAME], {}", kind, found(node)));
        return;
    }
    for (const auto& [key, entry] : *tables) {
        const std::string name(key.str());
        const std::string path = fmt::format("{}.{}", kind, name);
        const Where where{file, key.source().begin.line};
        if (const auto first = values.find(name); first != values.end()) {
            draft.error_at(where, path, "already written in " + first->second.where.text());
            continue;
        }
        draft.places[path] = where;
        const bool valid = std::is_same_v<Value, Person> ? is_account_name(name) : is_policy_name(name);
        if (!valid) {
            draft.error(
                path, fmt::format("{} can't be a name: letters, digits, _ . -, not beginning with a digit, a "
                                  "dot or a dash, at most {}",
                                  in_quotes(name), std::is_same_v<Value, Person> ? 32 : 64));
        }
        const toml::table* table = entry.as_table();
        if (table == nullptr) {
            draft.error(path, fmt::format("expected a table [{}], {}", path, found(entry)));
            continue;
        }
        Value value;
        value.name = name;
        value.where = where;
        read(draft, Table(draft, file, path, *table, keys), value);
        values.emplace(name, std::move(value));
    }
}

void read_source(Draft& draft, const std::string& file, const toml::table& root) {
    const auto place = draft.places.find("site");
    const std::string site = place != draft.places.end() ? place->second.text() : "";
    const Table top(draft, file, "", root, top_keys);
    for (const auto& [key, node] : root) {
        const std::string_view kind = key.str();
        if (kind == "person") {
            read_named(draft, file, kind, node, person_keys, draft.policy.persons, read_person);
        } else if (kind == "people") {
            read_named(draft, file, kind, node, people_keys, draft.policy.people, read_people);
        } else if (kind == "risk") {
            read_named(draft, file, kind, node, risk_keys, draft.policy.risks, read_risk);
        } else if (kind == "role") {
            read_named(draft, file, kind, node, role_keys, draft.policy.roles, read_role);
        } else if (kind == "site" && !site.empty()) {
            draft.error("site", "already written in " + site);
        } else if (const toml::table* table = node.as_table(); kind == "site" && table != nullptr) {
            read_site(draft, Table(draft, file, "site", *table, site_keys));
        } else if (kind == "site") {
            draft.error("site", "expected a table [site], " + found(node));
        }
    }
}

} // namespace

LoadedPolicy parse_policy(const std::vector<PolicySource>& sources) {
    Draft draft;
    bool all_read = true;
    for (const PolicySource& source : sources) {
        if (auto problems = scan_policy(source); !problems.empty()) {
            std::move(problems.begin(), problems.end(), std::back_inserter(draft.problems));
            all_read = false;
            continue;
        }
        const toml::parse_result parsed =
            toml::parse(std::string_view(source.text), std::string_view(source.name));
        if (!parsed) {
            draft.error_at({source.name, parsed.error().source().begin.line}, "",
                           std::string(parsed.error().description()));
            all_read = false;
            continue;
        }
        read_source(draft, source.name, parsed.table());
    }
    if (all_read) { // else it would complain of names that are in what wasn't read
        check_policy(draft);
    }
    // As they are read: file after file, from top to bottom.
    std::map<std::string_view, std::size_t> order;
    for (const PolicySource& source : sources) {
        order.emplace(source.name, order.size());
    }
    std::stable_sort(draft.problems.begin(), draft.problems.end(), [&](const Problem& a, const Problem& b) {
        return std::pair(order[a.where.file], a.where.line) < std::pair(order[b.where.file], b.where.line);
    });
    const auto is_error = [](const Problem& problem) { return problem.severity == Problem::Severity::error; };
    LoadedPolicy loaded{.policy = {}, .problems = std::move(draft.problems), .sources = sources};
    if (std::none_of(loaded.problems.begin(), loaded.problems.end(), is_error)) {
        loaded.policy = std::move(draft.policy);
    }
    return loaded;
}

} // namespace jit

// SPDX-License-Identifier: MIT
#include "core/policy.h"

#include <regex.h>

namespace jit {

std::string Where::text() const {
    return line > 0 ? file + ':' + std::to_string(line) : file;
}

std::string Subject::text() const {
    return kind == Kind::group ? '@' + name : name;
}

std::string Policy::person_of(std::string_view account) const {
    const auto found = person_by_account.find(account);
    return found != person_by_account.end() ? found->second : std::string(account);
}

bool ticket_matches(const std::string& pattern, const std::string& ticket) {
    if (pattern.empty()) {
        return true;
    }
    if (ticket.find('\0') != std::string::npos) { // regexec would judge only what is before it
        return false;
    }
    regex_t regex{};
    if (regcomp(&regex, pattern.c_str(), REG_EXTENDED) != 0) {
        return false;
    }
    // POSIX gives the leftmost longest match, so if the whole ticket matches, that is what it gives. Putting
    // ^( and )$ around the pattern instead would change what "a)|b" means: glibc takes a lone ) as itself.
    regmatch_t whole{};
    const bool matches = regexec(&regex, ticket.c_str(), 1, &whole, 0) == 0;
    regfree(&regex);
    return matches && whole.rm_so == 0 && whole.rm_eo == static_cast<regoff_t>(ticket.size());
}

} // namespace jit

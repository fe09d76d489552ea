// SPDX-License-Identifier: MIT
// Text that somebody supplied: what may be a name, and how anything is shown without doing harm.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jit {

// The parts between separators, empty ones included: one more than there are separators.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// Account and group names that we accept: [A-Za-z_][A-Za-z0-9_.-]{0,31}. Stricter than NSS on purpose: such a
// name is safe as a file name, as an argument and in a log, and is never a number (CVE-2017-1000082).
[[nodiscard]] bool is_account_name(std::string_view name);

// Names in the policy (roles, persons, people, risks): [A-Za-z_][A-Za-z0-9_.-]{0,63}.
[[nodiscard]] bool is_policy_name(std::string_view name);

// Names of PAM services: [a-z0-9_-]{1,64}, so also safe as the name of a file.
[[nodiscard]] bool is_service_name(std::string_view name);

[[nodiscard]] bool is_request_id(std::string_view id); // 4 to 16 of [0-9a-f]

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without NUL.
[[nodiscard]] bool is_text(std::string_view text);

// Safe on a terminal and in a one-line log record (CVE-2023-28486): printable UTF-8 stays; control characters
// (C0, DEL, C1), line and paragraph separators, bidirectional and zero-width formatting, invisible and
// private characters, and bytes that are not UTF-8 become \n \r \t \xNN or \u{NNNN}; a backslash becomes two.
// So the result can be read back by eye.
[[nodiscard]] std::string escape(std::string_view text);

// What escape() was given. What it doesn't write stays as it is.
[[nodiscard]] std::string unescape(std::string_view escaped);

// Nothing in it that escape would write differently, but backslashes: UTF-8, one line, and all of it shows.
[[nodiscard]] bool is_printable(std::string_view text);

// One argument as a person would type it in a shell, and safe to show: bare where that is safe, else in
// single quotes (nothing in them is an escape), else, where something in it is not printable, as $'…'
// with \n, \r, \t and \xNN.
[[nodiscard]] std::string shell_word(std::string_view argument);

} // namespace jit

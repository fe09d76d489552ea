// SPDX-License-Identifier: MIT
// Whatever is shown is one printable line, and different texts are shown differently.
#include "core/text.h"
#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string_view text = as_text(data, size);
    const std::string escaped = escape(text);
    require(is_printable(escaped) && is_text(escaped));
    require(is_printable(shell_word(text)));
    if (is_printable(text)) {
        require(is_text(text));
        require(text.find('\\') != std::string_view::npos || escaped == text);
    }
    if (is_account_name(text)) {
        require(is_policy_name(text) && escaped == text && shell_word(text) == text);
    }
    const std::string_view first = text.substr(0, size / 2);
    const std::string_view second = text.substr(size / 2);
    require((escape(first) == escape(second)) == (first == second));
    require((shell_word(first) == shell_word(second)) == (first == second));
    return 0;
}

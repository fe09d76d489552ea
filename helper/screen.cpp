// SPDX-License-Identifier: MIT
#include "helper/screen.h"

namespace jit {

void Screen::see(std::string_view output) {
    constexpr std::string_view start = "\x1b[?1049";
    while (!output.empty()) {
        if (matched_ == 0) {
            const auto escape = output.find(start.front());
            if (escape == std::string_view::npos) {
                return;
            }
            output.remove_prefix(escape);
        }
        const char byte = output.front();
        output.remove_prefix(1);
        if (matched_ == start.size() && (byte == 'h' || byte == 'l')) {
            alternate_ = byte == 'h';
            matched_ = 0;
        } else if (matched_ < start.size() && byte == start[matched_]) {
            ++matched_;
        } else {
            matched_ = byte == start.front() ? 1 : 0;
        }
    }
}

} // namespace jit

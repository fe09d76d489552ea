// SPDX-License-Identifier: MIT
// Input: a drop-in of a membership, its name, or what /proc says of a process.
#include "daemon/carriers.h"
#include "daemon/membership_files.h"
#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string_view text = as_text(data, size);
    if (const auto drop_in = parse_drop_in(text)) {
        require(has_our_marker(text));
        require(drop_in_text(*drop_in) == text);
    }
    if (const auto file = parse_drop_in_file(text)) {
        require(drop_in_file(file->name, file->state) == text);
        require(text.find('/') == std::string_view::npos);
    }
    if (const auto found = parse_credentials(text)) {
        require(!found->uids.empty());
    }
    return 0;
}

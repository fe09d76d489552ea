// SPDX-License-Identifier: MIT
// Input: the file that jitd publishes for the sweep.
#include "daemon/published.h"
#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string text = "jit-live-1 boot\n" + std::string(as_text(data, size));
    if (const auto all = parse_published(text, "boot")) {
        require(*parse_published(published_text("boot", *all), "boot") == *all);
    }
    static_cast<void>(parse_published(as_text(data, size), "boot"));
    return 0;
}

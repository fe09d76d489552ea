// SPDX-License-Identifier: MIT
// Input: /proc/PID/stat. The name in it is its process's choice, and changes nothing of what follows it.
#include "daemon/seat.h"
#include "tests/fuzz/fuzz_kit.h"

#include <string>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string_view text = as_text(data, size);
    static_cast<void>(parse_process_stat(text));
    const std::string line =
        "42 (" + std::string(text) + ") S 1 100 200 34816 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n";
    const auto stat = parse_process_stat(line);
    require(stat && stat->session == 200 && stat->tty == 34816 && stat->started == 987654);
    return 0;
}

// SPDX-License-Identifier: MIT
// Input: a file of /run/jit/uses: the frame without its length, or with it. What is accepted is written again
// in the same bytes, and nothing that jitd relies on is out of range.
#include "core/frame.h"
#include "core/registration.h"
#include "core/text.h"
#include "tests/fuzz/fuzz_kit.h"

namespace jit {
namespace {

void check(const std::string& file) {
    if (const auto use = parse_registered_use(file)) {
        require(to_frame(*use) == file);
        require(use->pid > 1 && use->session != 0xffffffffU && use->uid != no_uid);
        require(is_account_name(use->account) && is_account_name(use->service) &&
                is_account_name(use->target) && is_request_id(use->grant));
        require(use->gated || !use->groups.empty());
        require(use->until >= Time() && use->boot_until >= BootTime());
        require(!parse_registered_refusal(file));
    }
    if (const auto refusal = parse_registered_refusal(file)) {
        require(to_frame(*refusal) == file);
    }
}

} // namespace
} // namespace jit

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string body(as_text(data, size));
    check(body);
    std::string length;
    for (std::size_t index = 0; index < frame_header; ++index) {
        length.push_back(static_cast<char>(size >> (8 * index) & 0xff));
    }
    check(length + body);
    // As the name of a file.
    if (const auto session = session_of_use_file(body)) {
        require(use_file_name(*session) == body && !is_refusal_file(body));
    }
    return 0;
}

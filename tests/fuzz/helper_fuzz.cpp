// SPDX-License-Identifier: MIT
// Input: the body of a frame between jit-sudo and jitd. What parses as a message is written again in as many
// bytes, and reads back as it was written.
#include "core/frame.h"
#include "core/helper_protocol.h"
#include "tests/fuzz/fuzz_kit.h"

namespace jit {
namespace {

template <class Parse>
void check(const std::string& body, Parse parse) {
    if (const auto message = parse(body)) {
        const std::string frame = to_frame(*message);
        require(frame.size() == body.size() + frame_header);
        const auto again = parse(frame.substr(frame_header));
        require(again.has_value() && to_frame(*again) == frame);
    }
}

} // namespace
} // namespace jit

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string body(as_text(data, size));
    static_cast<void>(helper_message_type(body));
    static_cast<void>(frame_length(body, largest_helper_frame));
    check(body, parse_helper_ask);
    check(body, parse_helper_refused);
    check(body, parse_helper_allowed);
    check(body, parse_helper_start);
    check(body, parse_helper_resume);
    check(body, parse_helper_deadline);
    check(body, parse_helper_exited);
    check(body, parse_helper_failed);
    check(body, parse_helper_ending);
    check(body, parse_helper_prove);
    check(body, parse_helper_proven);
    require(is_helper_go(body) + is_helper_deadline_question(body) + is_helper_done(body) +
                is_helper_trying(body) <=
            1);
    return 0;
}

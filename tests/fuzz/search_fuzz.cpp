// SPDX-License-Identifier: MIT
// What jitd and jit-search say to each other, and a stock: what was read is written and read again the same.
#include "daemon/search/stock.h"
#include "daemon/search_protocol.h"
#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string_view text = as_text(data, size);
    if (const auto job = parse_search_job(text)) {
        const std::string written = search_text(*job);
        const auto again = parse_search_job(written);
        require(again && search_text(*again) == written);
    }
    if (const auto reply = parse_search_reply(text)) {
        const std::string written = search_text(*reply);
        const auto again = parse_search_reply(written);
        require(again && search_text(*again) == written);
    }
    if (const auto stock = parse_stock(text)) {
        const auto again = parse_stock(stock_text(*stock));
        require(again && *again == *stock);
        static_cast<void>(differences(*stock, {}, Time()));
    }
    return 0;
}

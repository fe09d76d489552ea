// SPDX-License-Identifier: MIT
// An ssh key as people hand it in, the record of an account, and a job of jit-account: what was understood is
// written as it was read.
#include "core/ssh_key.h"
#include "daemon/account_files.h"
#include "daemon/account_protocol.h"
#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string_view text = as_text(data, size);
    if (const auto key = parse_ssh_key(text)) {
        require(text.starts_with(key->type));
        require(parse_ssh_key(key->text())->text() == key->text());
        require(key->text().find('\n') == std::string::npos);
        require(key->fingerprint().size() == 50);
    }
    if (const auto record = parse_account_record(text)) {
        require(has_our_marker(text));
        require(record_text(*record) == text);
    }
    if (const auto job = parse_account_job(text)) {
        require(account_text(*parse_account_job(account_text(*job))) == account_text(*job));
    }
    if (const auto reply = parse_account_reply(text)) {
        require(account_text(*parse_account_reply(account_text(*reply))) == account_text(*reply));
    }
    return 0;
}

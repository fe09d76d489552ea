// SPDX-License-Identifier: MIT
// Input: the login table as a file, the first byte aside, which says what is asked of it. Whatever it holds,
// reading it is an error or gives grants that live, are whole, and are of the account that was asked for.
#include "core/login_table.h"
#include "core/text.h"
#include "tests/fuzz/fuzz_kit.h"

#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace {

// In memory, and one file for all inputs.
const std::string& table_path() {
    static const std::string path = [] {
        std::string name = "/dev/shm/jit-fuzz-XXXXXX";
        const int fd = mkstemp(name.data());
        jit::require(fd >= 0);
        close(fd);
        static std::string kept = name;
        atexit([] { unlink(kept.c_str()); });
        return name;
    }();
    return path;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    if (size < 1) {
        return 0;
    }
    const int fd = open(table_path().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    require(fd >= 0 && write(fd, data + 1, size - 1) == static_cast<ssize_t>(size - 1));
    close(fd);
    // The seeds' grants end at 2,000,000 by UTC and at 1,000,000 by the boot clock.
    const Now now{.time = Time(Millis((data[0] & 1U) != 0 ? 2'000'000 : 1'000'000)),
                  .boot = BootTime(Millis((data[0] & 2U) != 0 ? 1'000'000 : 500'000))};
    const std::string account = (data[0] & 4U) != 0 ? "alice" : "bob";
    const auto table = read_login_table(table_path(), Uid{1000}, account, "sshd", now);
    require(table || !table.error().message.empty());
    if (!table) {
        return 0;
    }
    for (const LoginGrant& grant : table->grants) {
        require(now.time < grant.until && now.boot < grant.boot_until && grant.reach >= grant.until);
        require(is_request_id(grant.id) && is_policy_name(grant.role));
        for (const std::string& name : grant.services) {
            require(is_account_name(name) && grant.gives_login(name));
        }
        for (const std::string& name : grant.groups) {
            require(is_account_name(name) && grant.gives_group(name));
        }
    }
    for (const std::string& role : table->roles) {
        require(is_policy_name(role));
    }
    return 0;
}

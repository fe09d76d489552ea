// SPDX-License-Identifier: MIT
// Input: "NAME=value" entries, each ended by NUL: as the caller's environment, as PAM's, and as what is
// handed in. None of them changes what is ours, and nothing that a loader, a shell or an interpreter acts on
// gets in.
#include "core/variables.h"
#include "helper/environment.h"
#include "tests/fuzz/fuzz_kit.h"

#include <algorithm>
#include <string>
#include <vector>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    std::vector<std::string> entries;
    const std::string_view text = as_text(data, size);
    for (std::size_t from = 0; from < text.size();) {
        const auto end = std::min(text.find('\0', from), text.size());
        entries.emplace_back(text.substr(from, end - from));
        from = end + 1;
    }
    std::vector<const char*> pointers;
    Environment from_pam;
    for (const std::string& entry : entries) {
        pointers.push_back(entry.c_str());
        const auto equals = std::min(entry.find('='), entry.size());
        from_pam.emplace(entry.substr(0, equals), entry.substr(std::min(equals + 1, entry.size())));
    }
    pointers.push_back(nullptr);
    Caller caller;
    caller.uid = Uid{1000};
    caller.gid = Gid{1000};
    caller.environment = kept_environment(pointers.data());
    for (const auto& [name, value] : caller.environment) {
        require(may_be_handed_in(name, value) && value.size() <= 128);
        require(name == "TZ" || value.find('/') == std::string::npos);
    }
    Wish wish;
    wish.variables = entries;
    HelperAllowed allowed;
    allowed.caller = "alice";
    allowed.user = "root";
    allowed.home = "/root";
    allowed.shell = "/bin/bash";
    const Environment built = command_environment(caller, allowed, {"/usr/bin/id", "id"}, wish, from_pam);
    require(built.at("PATH") == secure_path && built.at("HOME") == "/root" && built.at("USER") == "root" &&
            built.at("LOGNAME") == "root" && built.at("SUDO_USER") == "alice" &&
            built.at("SUDO_UID") == "1000" && built.at("SHELL") == "/bin/bash" &&
            built.at("SUDO_COMMAND") == "/usr/bin/id");
    for (const auto& [name, value] : built) {
        require(is_variable_name(name) &&
                (is_our_variable(name) || name == "SYSTEMD_PAGERSECURE" || may_be_handed_in(name, value)));
    }
    return 0;
}

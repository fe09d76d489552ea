// SPDX-License-Identifier: MIT
// A gate that was put into a file is found whole, put in again as it is, and taken out to the byte; and no
// line of another is touched. What is included is one of a few files, whatever its name.
#include "ctl/pam_stack.h"
#include "tests/fuzz/fuzz_kit.h"

#include <array>

namespace {

using namespace jit;

Result<std::string> read_included(const std::string& name) {
    static const std::array<std::string, 4> files = {
        "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\naccount required "
        "pam_unix.so\n",
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\nsession include z\n",
        "auth sufficient pam_unix.so\nsession required pam_loginuid.so\naccount sufficient "
        "pam_localuser.so\n",
        ""};
    return name.size() > 60 ? fail(Errc::not_found, "no such file")
                            : Result<std::string>(files[name.size() % 4]);
}

void check(const std::string& path, std::string_view text, ServiceKind kind, const Gate& gate) {
    const auto gated = with_gate(path, text, kind, gate, read_included);
    if (!gated) {
        require(!gated.error().message.empty());
        return;
    }
    const auto bare = without_gate(path, gated->text);
    require(bare && *bare == text);
    const auto again = with_gate(path, gated->text, kind, gate, read_included);
    require(again && again->text == gated->text);
    const auto report = inspect_gate(path, gated->text, kind, read_included);
    require(report && report->present && report->gate == gate && report->findings.empty());
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text(data, size);
    const std::string path = "/etc/pam.d/x";
    const auto file = parse_pam(path, text);
    if (!file) {
        return 0;
    }
    require(file->text() == text);
    const auto gated = has_gate(path, text);
    require(gated.has_value());
    if (*gated) {
        const auto bare = without_gate(path, text);
        require(bare && bare->size() < text.size());
        const auto rest = has_gate(path, *bare);
        require(rest && !*rest);
        static_cast<void>(inspect_gate(path, text, ServiceKind::login, read_included));
        return 0;
    }
    for (const ServiceKind kind : {ServiceKind::login, ServiceKind::called}) {
        check(path, text, kind, {});
        check(path, text, kind, {.mode = GateMode::warn, .only = "sre", .exempt = {"root", "bob"}});
    }
    return 0;
}

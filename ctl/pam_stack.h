// SPDX-License-Identifier: MIT
// The lines of pam_jit in a PAM service file: where they go, taking them out again, and what is wrong with
// them. Pure: text in, text out. Whom they let in hangs on where they stand, so:
//   1. the account line MUST come before whatever can end the account stack with a yes, or jump over it, in
//      the file itself or in what it includes; so it stands before the first include;
//   2. the session line MUST come after pam_loginuid (it needs the login's audit session) and before
//      pam_systemd (which takes a login's time limit from it), that is before the first include;
//   3. no line may come to stand where another's jump counts over it;
//   4. a stack that is empty MUST stay so: a first line of ours would put `other` out of force;
//   5. what can't be understood is refused, and what was put in is taken out exactly.
#pragma once

#include "ctl/pam_lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr std::string_view pam_module = "pam_jit.so";

enum class GateMode { enforce, warn, audit };
[[nodiscard]] std::string_view name_of(GateMode mode);
[[nodiscard]] std::optional<GateMode> gate_mode_of(std::string_view name);

// What the lines say.
struct Gate {
    GateMode mode = GateMode::enforce;
    std::optional<std::string> only; // the group that is gated; else everybody
    std::vector<std::string> exempt; // none: the module's default, root. Else root is among them

    [[nodiscard]] std::vector<std::string> exempted() const; // root, where there are none
    bool operator==(const Gate&) const = default;
};

// Whoever logs in is judged and may be given groups; of su and its like, which people call, the caller is
// judged and gets none.
enum class ServiceKind { login, called };
[[nodiscard]] ServiceKind kind_of_service(std::string_view service);

// The login-shell form that belongs to a service (sudo: sudo-i, su: su-l); empty where there is none.
[[nodiscard]] std::string sibling_of(std::string_view service);

// Files that others include. A gate in one of them would gate whatever includes it.
[[nodiscard]] bool is_shared_pam_file(std::string_view service);

struct GatedText {
    std::string text;
    std::vector<std::string> notes; // worth knowing, and no reason not to
};

// `path` is for messages. Lines of ours that are there already are replaced.
[[nodiscard]] Result<GatedText> with_gate(const std::string& path, std::string_view text, ServiceKind kind,
                                          const Gate& gate, const ReadIncluded& read_included);

// The text itself where nothing of ours is in it.
[[nodiscard]] Result<std::string> without_gate(const std::string& path, std::string_view text);

[[nodiscard]] Result<bool> has_gate(const std::string& path, std::string_view text);

// Whether a stack of the file includes another, however deeply.
[[nodiscard]] Result<bool> includes_service(const PamFile& file, PamType type, std::string_view service,
                                            const ReadIncluded& read_included);

struct GateFinding {
    std::size_t line = 0; // from 1; 0 where something is missing
    std::string message;
};

struct GateReport {
    bool present = false;
    std::optional<Gate> gate; // what the account line says, where it can be read
    std::vector<GateFinding> findings;
};

[[nodiscard]] Result<GateReport> inspect_gate(const std::string& path, std::string_view text,
                                              ServiceKind kind, const ReadIncluded& read_included);

} // namespace jit

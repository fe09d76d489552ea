// SPDX-License-Identifier: MIT
#include "helper/verdict.h"

#include "core/frame.h"
#include "core/notices.h"
#include "core/text.h"
#include "core/types.h"
#include "helper/elevate.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <algorithm>
#include <array>
#include <linux/limits.h>

namespace jit {
namespace {

std::unexpected<Error> strange() {
    return fail(Errc::unavailable, std::string(messages::strange_answer));
}

Result<std::string> receive_unless_refused(Jitd& jitd) {
    auto frame = jitd.receive();
    if (!frame) {
        return std::unexpected(std::move(frame.error()));
    }
    if (const auto refused = parse_helper_refused(frame->body)) {
        return fail(Errc::refused, escape(refused->message));
    }
    return std::move(frame->body);
}

bool is_absolute(std::string_view path) {
    return path.starts_with('/') && path.size() < PATH_MAX;
}

bool is_plain(std::string_view path) {
    return is_absolute(path) && path.find('\0') == std::string_view::npos;
}

} // namespace

Result<void> send_ask(Jitd& jitd, const HelperAsk& ask) {
    const std::string frame = to_frame(ask);
    if (frame.size() > frame_header + largest_helper_frame) {
        return fail(Errc::invalid, std::string(messages::too_long));
    }
    return jitd.send(frame);
}

Result<void> check_allowed(const HelperAllowed& allowed) {
    for (const std::string* text : {&allowed.use, &allowed.grant, &allowed.role, &allowed.caller,
                                    &allowed.user, &allowed.home, &allowed.shell, &allowed.command}) {
        if (text->empty() || text->find('\0') != std::string::npos) {
            return strange();
        }
    }
    if (Uid{allowed.uid} == no_uid || Gid{allowed.gid} == no_gid || allowed.groups.size() > NGROUPS_MAX ||
        std::find(allowed.groups.begin(), allowed.groups.end(), number(no_gid)) != allowed.groups.end() ||
        allowed.notices.size() > most_notices || !is_absolute(allowed.home) || !is_absolute(allowed.shell) ||
        !is_absolute(allowed.command)) {
        return strange();
    }
    const HelperConfinement& confinement = allowed.confinement;
    for (const auto* paths : {&confinement.write, &confinement.execute}) {
        if (!std::ranges::all_of(*paths, is_plain)) {
            return strange();
        }
    }
    if ((!confinement.directory.empty() && !is_plain(confinement.directory)) ||
        (!confinement.second_factor.empty() && !is_service_name(confinement.second_factor))) {
        return strange();
    }
    return {};
}

Result<Verdict> receive_verdict(Jitd& jitd) {
    auto frame = jitd.receive();
    if (!frame) {
        return std::unexpected(std::move(frame.error()));
    }
    if (auto refused = parse_helper_refused(frame->body)) {
        return Verdict{std::move(refused), {}, {}};
    }
    auto allowed = parse_helper_allowed(frame->body);
    if (!allowed) {
        return strange();
    }
    if (auto good = check_allowed(*allowed); !good) {
        return std::unexpected(std::move(good.error()));
    }
    if (auto good = check_cgroup(frame->descriptor.get()); !good) {
        return std::unexpected(std::move(good.error()));
    }
    return Verdict{std::nullopt, std::move(*allowed), std::move(frame->descriptor)};
}

Result<void> record_start(Jitd& jitd, const HelperStart& start, int file) {
    if (auto sent = jitd.send(to_frame(start), file); !sent) {
        return sent;
    }
    const auto body = receive_unless_refused(jitd);
    if (!body) {
        return std::unexpected(body.error());
    }
    return is_helper_go(*body) ? Result<void>{} : strange();
}

Result<HelperProve> receive_prove(Jitd& jitd) {
    const auto body = receive_unless_refused(jitd);
    if (!body) {
        return std::unexpected(body.error());
    }
    auto prove = parse_helper_prove(*body);
    if (!prove || prove->caller.empty() || prove->caller.find('\0') != std::string::npos) {
        return strange();
    }
    return std::move(*prove);
}

Result<void> report_proven(Jitd& jitd, Proven proven) {
    if (auto sent = jitd.send(to_frame(HelperProven{proven})); !sent) {
        return sent;
    }
    return receive_done(jitd);
}

Result<void> receive_done(Jitd& jitd) {
    const auto body = receive_unless_refused(jitd);
    if (!body) {
        return std::unexpected(body.error());
    }
    return is_helper_done(*body) ? Result<void>{} : strange();
}

Asking asking_of(const Caller& caller, const Options& options, Jitd& jitd) {
    const auto may_try = [&jitd]() -> Result<void> {
        if (auto sent = jitd.send(trying_frame()); !sent) {
            return sent;
        }
        return receive_done(jitd);
    };
    std::optional<std::string> prompt = options.prompt;
    if (const auto usual = original_value(caller, "SUDO_PROMPT"); usual && !prompt) {
        prompt = *usual;
    }
    return {caller.uid, !options.non_interactive, options.from_stdin, std::move(prompt), may_try};
}

std::string with_reason(std::string_view line, std::string_view reason) {
    constexpr std::string_view option = "--reason ";
    constexpr std::array placeholders = {std::string_view("'…'"), std::string_view("TEXT")};
    const auto at = line.find(option);
    if (reason.empty() || at == std::string_view::npos) {
        return std::string(line);
    }
    const std::string_view rest = line.substr(at + option.size());
    for (const std::string_view placeholder : placeholders) {
        if (rest.starts_with(placeholder)) {
            return std::string(line.substr(0, at + option.size())) + shell_word(reason) +
                   std::string(rest.substr(placeholder.size()));
        }
    }
    return std::string(line);
}

void show_refusal(const HelperRefused& refused, std::string_view reason) {
    say(escape(refused.message));
    for (const std::string& line : refused.next) {
        say_next(with_reason(escape(line), reason)); // a quoted word is safe to show, and must stay as it is
    }
}

} // namespace jit

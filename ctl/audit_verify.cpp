// SPDX-License-Identifier: MIT
// Whether the audit trail is what was written: every event in its place, unchanged, and none cut off.
#include "core/audit.h"
#include "core/store.h"
#include "core/text.h"
#include "ctl/print.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace jit {
namespace {

std::unexpected<Failure> not_understood(std::string_view what) {
    return internal_failure(
        fmt::format("jitd's answer makes no sense: {}. Is it of another version than this jitctl? "
                    "try: jitctl status",
                    what));
}

std::string string_of(const Json& object, const char* key) {
    const auto field = object.is_object() ? object.find(key) : object.end();
    return field != object.end() && field->is_string() ? field->get<std::string>() : std::string();
}

std::int64_t number_of(const Json& object, const char* key) {
    const auto field = object.is_object() ? object.find(key) : object.end();
    return field != object.end() && field->is_number_integer() ? field->get<std::int64_t>() : -1;
}

// A hash of another size is shown as all zeros, so that verification goes on and reports the event.
Hash hash_of(const Json& object) {
    const auto bytes = from_hex(string_of(object, "hash"));
    return bytes ? hash_from_bytes(*bytes).value_or(Hash{}) : Hash{};
}

// The public key in a file as jitd writes it: 64 hex digits and a newline.
Outcome<std::string> read_public_key(const std::string& path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 256> content;
    const ssize_t count = fd ? read(fd.get(), content.data(), content.size()) : -1;
    if (count < 0) {
        return std::unexpected(Failure{
            errno == ENOENT ? Exit::not_found : Exit::internal, errno == ENOENT ? "not-found" : "internal",
            fmt::format("the public key {}: {}", escape(path), std::strerror(errno))});
    }
    std::string_view hex(content.data(), static_cast<std::size_t>(count));
    if (hex.ends_with('\n')) {
        hex.remove_suffix(1);
    }
    auto key = from_hex(hex);
    if (!key || key->size() != 32) {
        return usage_failure(
            fmt::format("{} holds no public key: 64 hex digits on one line, as in host.pub", escape(path)));
    }
    return std::move(*key);
}

Exit say(const Context& context, const ChainVerifier& verifier) {
    const auto& findings = verifier.findings();
    context.print_json({{"events", verifier.count()},
                        {"checkpoints", verifier.checkpoints_checked()},
                        {"intact", findings.empty()},
                        {"findings", findings}});
    std::string text;
    for (const std::string& finding : findings) {
        text += sentence(finding) + "\n";
    }
    text += fmt::format("{} events, {} checkpoints: {}\n", verifier.count(), verifier.checkpoints_checked(),
                        findings.empty() ? "intact" : "NOT INTACT");
    context.print_text(text);
    return findings.empty() ? Exit::done : Exit::refused;
}

// jitd goes on appending meanwhile: what is verified is the trail up to the head that came with the
// checkpoints.
Outcome<Exit> verify_through_jitd(const Context& context, const VerifyOptions& options) {
    const auto reply = call(context, "Checkpoints", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    auto key = from_hex(string_of(*reply, "public_key"));
    if (options.public_key) {
        auto given = read_public_key(*options.public_key);
        if (!given) {
            return std::unexpected(given.error());
        }
        key = *given;
    }
    const std::int64_t head = number_of(*reply, "head");
    const auto listed = reply->find("checkpoints");
    if (!key || key->size() != 32 || head < 0 || listed == reply->end() || !listed->is_array()) {
        return not_understood("the checkpoints can't be read");
    }
    std::vector<Checkpoint> checkpoints;
    for (const Json& checkpoint : *listed) {
        checkpoints.push_back({.seq = number_of(checkpoint, "seq"),
                               .at = Time(Millis(number_of(checkpoint, "at"))),
                               .hash = hash_of(checkpoint),
                               .signature = from_hex(string_of(checkpoint, "signature")).value_or("")});
    }

    ChainVerifier verifier(std::move(checkpoints),
                           options.machine_id.value_or(string_of(*reply, "machine_id")), *key);
    auto client = Client::connect(context.client);
    if (!client) {
        return std::unexpected(client.error());
    }
    bool understood = true;
    const auto take = [&](const Json& events) {
        const auto list = events.find("events");
        understood = list != events.end() && list->is_array();
        for (std::size_t i = 0; understood && i < list->size(); ++i) {
            const Json& event = (*list)[i];
            const std::int64_t seq = number_of(event, "seq");
            if (seq > head) {
                return false;
            }
            verifier.add({.seq = seq, .body = string_of(event, "body"), .hash = hash_of(event)});
        }
        return understood;
    };
    const auto streamed = client->stream("Audit", Json{{"after", 0}}, Client::First::soon, nullptr, take);
    if (!streamed) {
        return std::unexpected(streamed.error());
    }
    if (!understood) {
        return not_understood("the events can't be read");
    }
    verifier.finish(head);
    return say(context, verifier);
}

Outcome<Exit> verify_file(const Context& context, const VerifyOptions& options) {
    constexpr std::int64_t batch = 1000;
    // jitd may be appending to it. The checkpoints are read first and the head anew after them: no checkpoint
    // can then be beyond the head, unless something was cut off.
    auto first = Store::open(*options.db, Store::Mode::reader);
    if (!first) {
        return std::unexpected(failure_of(first.error()));
    }
    const std::string beside = options.db->substr(0, options.db->find_last_of('/') + 1) + "host.pub";
    auto key = read_public_key(options.public_key.value_or(beside));
    if (!key) {
        return std::unexpected(key.error());
    }
    auto checkpoints =
        (*first)->guarded([&]() -> Result<std::vector<Checkpoint>> { return (*first)->checkpoints(); });
    if (!checkpoints) {
        return std::unexpected(failure_of(checkpoints.error()));
    }
    first->reset();
    auto store = Store::open(*options.db, Store::Mode::reader);
    if (!store) {
        return std::unexpected(failure_of(store.error()));
    }
    const std::int64_t head = (*store)->head().seq;
    ChainVerifier verifier(std::move(*checkpoints),
                           options.machine_id ? *options.machine_id : read_machine_id(), *key);
    const auto read = (*store)->guarded([&]() -> Result<void> {
        for (std::int64_t seen = 0; seen < head;) {
            const auto events = (*store)->events_after(seen, batch);
            if (events.empty()) {
                break;
            }
            for (const Event& event : events) {
                seen = event.seq;
                if (seen <= head) {
                    verifier.add(event);
                }
            }
        }
        return {};
    });
    if (!read) {
        return std::unexpected(failure_of(read.error()));
    }
    verifier.finish(head);
    return say(context, verifier);
}

} // namespace

Outcome<Exit> audit_verify(const Context& context, const VerifyOptions& options) {
    return options.db ? verify_file(context, options) : verify_through_jitd(context, options);
}

} // namespace jit

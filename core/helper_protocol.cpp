// SPDX-License-Identifier: MIT
#include "core/helper_protocol.h"

#include "core/frame.h"

#include <charconv>

namespace jit {
namespace {

FrameWriter writer(HelperMessage type) {
    return FrameWriter(static_cast<std::uint8_t>(type));
}

// Reads the fields after the type with `read`, and gives the message if all of the frame was just that.
template <class Message, class Read>
std::optional<Message> parse(std::string_view body, HelperMessage type, Read read) {
    FrameReader reader(body);
    if (reader.u8() != static_cast<std::uint8_t>(type)) {
        return std::nullopt;
    }
    Message message;
    read(reader, message);
    return reader.ok() ? std::optional(std::move(message)) : std::nullopt;
}

void write(FrameWriter& frame, const HelperConfinement& confinement) {
    frame.u8(confinement.bounds_capabilities ? 1 : 0);
    frame.i64(static_cast<std::int64_t>(confinement.capabilities));
    frame.u8(confinement.no_new_privileges ? 1 : 0);
    frame.u8(confinement.bounds_write ? 1 : 0);
    frame.list(confinement.write);
    frame.u8(confinement.bounds_execute ? 1 : 0);
    frame.list(confinement.execute);
    frame.u8(confinement.pinned ? 1 : 0);
    frame.bytes(confinement.directory);
    frame.bytes(confinement.second_factor);
}

// A flag that is neither 0 nor 1 holds: what isn't understood must not make it less.
HelperConfinement read_confinement(FrameReader& reader) {
    HelperConfinement confinement;
    confinement.bounds_capabilities = reader.u8() != 0;
    confinement.capabilities = static_cast<std::uint64_t>(reader.i64());
    confinement.no_new_privileges = reader.u8() != 0;
    confinement.bounds_write = reader.u8() != 0;
    confinement.write = reader.byte_list();
    confinement.bounds_execute = reader.u8() != 0;
    confinement.execute = reader.byte_list();
    confinement.pinned = reader.u8() != 0;
    confinement.directory = reader.bytes();
    confinement.second_factor = reader.bytes();
    return confinement;
}

Proven read_proven(FrameReader& reader) {
    return reader.u32() == static_cast<std::uint32_t>(Proven::yes) ? Proven::yes : Proven::no;
}

struct Nothing {};

bool is_bare(std::string_view body, HelperMessage type) {
    return parse<Nothing>(body, type, [](FrameReader&, Nothing&) {}).has_value();
}

} // namespace

std::string to_frame(const HelperAsk& message) {
    FrameWriter frame = writer(HelperMessage::ask);
    frame.u8(static_cast<std::uint8_t>(message.what));
    frame.u8(message.proof.use ? 1 : 0);
    frame.u8(message.proof.keep ? 1 : 0);
    frame.bytes(message.run_as);
    frame.bytes(message.group);
    frame.bytes(message.path);
    frame.list(message.arguments);
    frame.bytes(message.cwd);
    frame.bytes(message.tty);
    frame.bytes(message.reason);
    frame.list(message.variables);
    return frame.frame();
}

std::optional<HelperAsk> parse_helper_ask(std::string_view body) {
    auto ask = parse<HelperAsk>(body, HelperMessage::ask, [](FrameReader& reader, HelperAsk& message) {
        message.what = static_cast<HelperWhat>(reader.u8());
        message.proof.use = reader.u8() == 1;
        message.proof.keep = reader.u8() == 1;
        message.run_as = reader.bytes();
        message.group = reader.bytes();
        message.path = reader.bytes();
        message.arguments = reader.byte_list();
        message.cwd = reader.bytes();
        message.tty = reader.bytes();
        message.reason = reader.bytes();
        message.variables = reader.byte_list();
    });
    return ask && ask->what <= HelperWhat::forget_all ? std::move(ask) : std::nullopt;
}

std::optional<Uid> uid_in(std::string_view run_as) {
    if (!run_as.starts_with('#')) {
        return std::nullopt;
    }
    const std::string_view digits = run_as.substr(1);
    std::uint32_t uid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), uid);
    const bool exact = error == std::errc() && end == digits.data() + digits.size() &&
                       (digits.size() == 1 || digits.front() != '0');
    return exact && Uid{uid} != no_uid ? std::optional(Uid{uid}) : std::nullopt;
}

std::string to_frame(const HelperRefused& message) {
    FrameWriter frame = writer(HelperMessage::refused);
    frame.bytes(message.message);
    frame.list(message.next);
    frame.bytes(message.offers);
    return frame.frame();
}

std::optional<HelperRefused> parse_helper_refused(std::string_view body) {
    return parse<HelperRefused>(body, HelperMessage::refused,
                                [](FrameReader& reader, HelperRefused& message) {
                                    message.message = reader.bytes();
                                    message.next = reader.byte_list();
                                    message.offers = reader.bytes();
                                });
}

std::string to_frame(const HelperAllowed& message) {
    FrameWriter frame = writer(HelperMessage::allowed);
    frame.bytes(message.use);
    frame.bytes(message.grant);
    frame.bytes(message.role);
    frame.u32(static_cast<std::uint32_t>(message.proven));
    frame.bytes(message.caller);
    frame.u32(message.uid);
    frame.u32(message.gid);
    frame.list(message.groups);
    frame.bytes(message.user);
    frame.bytes(message.home);
    frame.bytes(message.shell);
    frame.bytes(message.command);
    frame.i64(message.deadline.time);
    frame.i64(message.deadline.boot);
    frame.list(message.notices);
    write(frame, message.confinement);
    return frame.frame();
}

std::optional<HelperAllowed> parse_helper_allowed(std::string_view body) {
    return parse<HelperAllowed>(body, HelperMessage::allowed,
                                [](FrameReader& reader, HelperAllowed& message) {
                                    message.use = reader.bytes();
                                    message.grant = reader.bytes();
                                    message.role = reader.bytes();
                                    message.proven = read_proven(reader);
                                    message.caller = reader.bytes();
                                    message.uid = reader.u32();
                                    message.gid = reader.u32();
                                    message.groups = reader.number_list();
                                    message.user = reader.bytes();
                                    message.home = reader.bytes();
                                    message.shell = reader.bytes();
                                    message.command = reader.bytes();
                                    message.deadline.time = reader.i64();
                                    message.deadline.boot = reader.i64();
                                    message.notices = reader.number_list();
                                    message.confinement = read_confinement(reader);
                                });
}

std::string to_frame(const HelperStart& message) {
    FrameWriter frame = writer(HelperMessage::start);
    frame.u32(static_cast<std::uint32_t>(message.proven));
    frame.u32(message.pid);
    frame.u32(message.session);
    return frame.frame();
}

std::optional<HelperStart> parse_helper_start(std::string_view body) {
    return parse<HelperStart>(body, HelperMessage::start, [](FrameReader& reader, HelperStart& message) {
        message.proven = read_proven(reader);
        message.pid = reader.u32();
        message.session = reader.u32();
    });
}

std::string to_frame(const HelperResume& message) {
    FrameWriter frame = writer(HelperMessage::resume);
    frame.bytes(message.use);
    return frame.frame();
}

std::optional<HelperResume> parse_helper_resume(std::string_view body) {
    return parse<HelperResume>(body, HelperMessage::resume, [](FrameReader& reader, HelperResume& message) {
        message.use = reader.bytes();
    });
}

std::string to_frame(const HelperDeadline& message) {
    FrameWriter frame = writer(HelperMessage::deadline);
    frame.i64(message.time);
    frame.i64(message.boot);
    return frame.frame();
}

std::optional<HelperDeadline> parse_helper_deadline(std::string_view body) {
    return parse<HelperDeadline>(body, HelperMessage::deadline,
                                 [](FrameReader& reader, HelperDeadline& message) {
                                     message.time = reader.i64();
                                     message.boot = reader.i64();
                                 });
}

std::string to_frame(const HelperExited& message) {
    FrameWriter frame = writer(HelperMessage::exited);
    frame.u32(static_cast<std::uint32_t>(message.status));
    return frame.frame();
}

std::optional<HelperExited> parse_helper_exited(std::string_view body) {
    return parse<HelperExited>(body, HelperMessage::exited, [](FrameReader& reader, HelperExited& message) {
        message.status = static_cast<std::int32_t>(reader.u32());
    });
}

std::string to_frame(const HelperFailed& message) {
    FrameWriter frame = writer(HelperMessage::failed);
    frame.bytes(message.why);
    return frame.frame();
}

std::optional<HelperFailed> parse_helper_failed(std::string_view body) {
    return parse<HelperFailed>(body, HelperMessage::failed, [](FrameReader& reader, HelperFailed& message) {
        message.why = reader.bytes();
    });
}

std::string to_frame(const HelperEnding& message) {
    FrameWriter frame = writer(HelperMessage::ending);
    frame.bytes(message.why);
    return frame.frame();
}

std::optional<HelperEnding> parse_helper_ending(std::string_view body) {
    return parse<HelperEnding>(body, HelperMessage::ending, [](FrameReader& reader, HelperEnding& message) {
        message.why = reader.bytes();
    });
}

std::string to_frame(const HelperProve& message) {
    FrameWriter frame = writer(HelperMessage::prove);
    frame.u32(static_cast<std::uint32_t>(message.proven));
    frame.bytes(message.caller);
    return frame.frame();
}

std::optional<HelperProve> parse_helper_prove(std::string_view body) {
    return parse<HelperProve>(body, HelperMessage::prove, [](FrameReader& reader, HelperProve& message) {
        message.proven = read_proven(reader);
        message.caller = reader.bytes();
    });
}

std::string to_frame(const HelperProven& message) {
    FrameWriter frame = writer(HelperMessage::proven);
    frame.u32(static_cast<std::uint32_t>(message.proven));
    return frame.frame();
}

std::optional<HelperProven> parse_helper_proven(std::string_view body) {
    return parse<HelperProven>(body, HelperMessage::proven, [](FrameReader& reader, HelperProven& message) {
        message.proven = read_proven(reader);
    });
}

std::string trying_frame() {
    return writer(HelperMessage::trying).frame();
}
bool is_helper_trying(std::string_view body) {
    return is_bare(body, HelperMessage::trying);
}

std::string done_frame() {
    return writer(HelperMessage::done).frame();
}
bool is_helper_done(std::string_view body) {
    return is_bare(body, HelperMessage::done);
}

std::string go_frame() {
    return writer(HelperMessage::go).frame();
}
bool is_helper_go(std::string_view body) {
    return is_bare(body, HelperMessage::go);
}

// The question is the bare type; the answer has the fields.
std::string deadline_question_frame() {
    return writer(HelperMessage::deadline).frame();
}
bool is_helper_deadline_question(std::string_view body) {
    return is_bare(body, HelperMessage::deadline);
}

std::optional<HelperMessage> helper_message_type(std::string_view body) {
    FrameReader reader(body.substr(0, 1));
    const std::uint8_t type = reader.u8();
    using enum HelperMessage;
    for (const HelperMessage known : {ask, refused, allowed, start, go, deadline, exited, ending, prove,
                                      proven, done, failed, trying, resume}) {
        if (reader.ok() && type == static_cast<std::uint8_t>(known)) {
            return known;
        }
    }
    return std::nullopt;
}

} // namespace jit

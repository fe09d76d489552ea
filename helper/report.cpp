// SPDX-License-Identifier: MIT
#include "helper/report.h"

#include "helper/ids.h"
#include "helper/messages.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <unistd.h>

namespace jit {
namespace {

uid_t speaker = 0;

// For as long as it lives. To leave root is to leave its capabilities too.
class SpeakersRights {
public:
    SpeakersRights() : left_(geteuid() == 0 && speaker != 0) { be(speaker); }
    ~SpeakersRights() { be(0); }
    SpeakersRights(const SpeakersRights&) = delete;
    SpeakersRights& operator=(const SpeakersRights&) = delete;

private:
    void be(uid_t uid) const {
        if (left_ && !set_effective_uid(uid)) {
            _exit(exit_refused); // AsCaller would say so, which needs these rights again
        }
    }

    bool left_;
};

} // namespace

void speak_as(uid_t caller) {
    speaker = caller;
}

void write_all(int fd, std::string_view text) {
    const SpeakersRights rights;
    while (!text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void say(std::string_view line) {
    write_all(STDERR_FILENO, "jit-sudo: " + std::string(line) + '\n');
}

void say_next(std::string_view line) {
    write_all(STDERR_FILENO, "  " + std::string(line) + '\n');
}

std::unexpected<Error> fail_errno(std::string_view what) {
    return fail(Errc::internal, messages::system_call(what, strerrordesc_np(errno)));
}

} // namespace jit

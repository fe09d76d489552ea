// SPDX-License-Identifier: MIT
// A socket that answers as it was told to, in a thread of its own, and jitctl run against it.
#pragma once

#include "core/fd.h"
#include "core/json.h"
#include "ctl/run.h"

#include <cstdint>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <poll.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <utility>
#include <vector>

namespace jit {

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = testing::TempDir() + "jitctl-XXXXXX";
        path_ = mkdtemp(name.data()) == nullptr ? "" : name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

private:
    std::string path_;
};

// What is done for one call.
struct Scripted {
    std::string bytes;
    bool hang_up = false;
    std::function<void()> then; // once it is sent
};

inline std::string message(const Json& json) {
    return to_line(json) + '\0';
}
inline Scripted replies(const Json& parameters) {
    return {.bytes = message({{"parameters", parameters}}), .then = {}};
}
inline Scripted fails(const std::string& error, const Json& parameters) {
    return {.bytes = message({{"error", error}, {"parameters", parameters}}), .then = {}};
}
inline Scripted refuses(const std::string& error, const std::string& why) {
    return fails("io.jitsudo.Access." + error, {{"message", why}});
}
// All but the last with "continues".
inline Scripted streams(const std::vector<Json>& replies) {
    Scripted answer;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        Json reply{{"parameters", replies[i]}};
        if (i + 1 < replies.size()) {
            reply["continues"] = true;
        }
        answer.bytes += message(reply);
    }
    return answer;
}

class FakeJitd {
public:
    explicit FakeJitd(std::vector<Scripted> answers)
        : answers_(answers.begin(), answers.end()), stop_(eventfd(0, EFD_CLOEXEC)),
          listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
        listening_ =
            bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            listen(listener_.get(), 8) == 0;
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeJitd() {
        const std::uint64_t one = 1;
        EXPECT_EQ(write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
        thread_.join();
        EXPECT_TRUE(listening_);
    }
    FakeJitd(const FakeJitd&) = delete;
    FakeJitd& operator=(const FakeJitd&) = delete;

    [[nodiscard]] std::string path() const { return directory_.file("socket"); }
    [[nodiscard]] std::vector<Json> calls() {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

private:
    bool readable(int fd) const {
        std::array<pollfd, 2> fds{{{fd, POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
        return poll(fds.data(), fds.size(), -1) > 0 && (fds[1].revents & POLLIN) == 0;
    }

    void serve() {
        while (readable(listener_.get())) {
            const Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            std::string received;
            std::array<char, 4096> chunk;
            while (readable(client.get())) {
                const ssize_t count = recv(client.get(), chunk.data(), chunk.size(), 0);
                if (count <= 0) {
                    break;
                }
                received.append(chunk.data(), static_cast<std::size_t>(count));
                if (received.ends_with('\0')) {
                    received.pop_back();
                    if (!answer(client.get(), std::exchange(received, {}))) {
                        break;
                    }
                }
            }
        }
    }

    bool answer(int client, const std::string& call) {
        Scripted next;
        {
            const std::lock_guard lock(mutex_);
            calls_.push_back(parse_json(call).value());
            if (answers_.empty()) {
                return false;
            }
            next = std::move(answers_.front());
            answers_.pop_front();
        }
        for (std::string_view rest = next.bytes; !rest.empty();) {
            const ssize_t sent = send(client, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            rest.remove_prefix(static_cast<std::size_t>(sent));
        }
        if (next.then) {
            next.then();
        }
        return !next.hang_up;
    }

    TemporaryDirectory directory_;
    std::mutex mutex_;
    std::deque<Scripted> answers_;
    std::vector<Json> calls_;
    Fd stop_;
    Fd listener_;
    bool listening_ = false;
    std::thread thread_;
};

struct Ran {
    int exit = -1;
    std::string out;
    std::string err;
};

inline Ran jitctl(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv{"jitctl"};
    for (const std::string& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    std::ostringstream out;
    std::ostringstream err;
    const int exit = run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {.exit = exit, .out = out.str(), .err = err.str()};
}

// Against a jitd that answers so. `calls`, where given, gets what it was asked.
inline Ran jitctl(const std::vector<std::string>& arguments, std::vector<Scripted> answers,
                  std::vector<Json>* calls = nullptr) {
    FakeJitd jitd(std::move(answers));
    std::vector<std::string> all{"--socket", jitd.path()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    Ran ran = jitctl(all);
    if (calls != nullptr) {
        *calls = jitd.calls();
    }
    return ran;
}

} // namespace jit

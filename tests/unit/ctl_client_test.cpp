// SPDX-License-Identifier: MIT
#include "ctl/client.h"
#include "ctl_fake_jitd.h"

#include <gmock/gmock.h>

#include <chrono>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jit {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr uid_t nobody = 65534;

Outcome<Json> ask(FakeJitd& jitd, std::chrono::milliseconds timeout = 10s) {
    auto client = Client::connect({.socket = jitd.path(), .own_uid_trusted = true, .timeout = timeout});
    return client ? client->call("Status", Json::object()) : Outcome<Json>(std::unexpected(client.error()));
}

Failure failure_of_reply(Scripted answer) {
    FakeJitd jitd({std::move(answer)});
    auto reply = ask(jitd);
    return reply ? Failure{Exit::done, "none", {}} : reply.error();
}

TEST(CtlClient, asks_by_the_full_name_and_gets_the_parameters) {
    FakeJitd jitd({replies({{"now", 5}})});
    const auto reply = ask(jitd);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ((*reply)["now"], 5);
    EXPECT_EQ(to_line(jitd.calls().at(0)), R"({"method":"io.jitsudo.Access.Status","parameters":{}})");
}

TEST(CtlClient, a_reply_may_come_in_parts_and_several_in_one) {
    FakeJitd jitd({streams({{{"n", 1}}, {{"n", 2}}, {{"n", 3}}})});
    auto client = Client::connect({.socket = jitd.path(), .own_uid_trusted = true});
    ASSERT_TRUE(client);
    std::vector<int> seen;
    const auto streamed =
        client->stream("Watch", Json::object(), Client::First::soon, nullptr, [&](const Json& reply) {
            seen.push_back(reply["n"].get<int>());
            return true;
        });
    EXPECT_TRUE(streamed);
    EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(jitd.calls().at(0)["more"], true);
}

TEST(CtlClient, a_reply_of_some_megabytes_is_read) {
    FakeJitd jitd({replies({{"text", std::string(5'000'000, 'x')}})});
    const auto reply = ask(jitd);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ((*reply)["text"].get<std::string>().size(), 5'000'000U);
}

TEST(CtlClient, each_error_of_jitd_has_its_exit_code) {
    const std::vector<std::pair<std::string, Exit>> table = {
        {"Refused", Exit::refused},    {"Invalid", Exit::usage},       {"NotFound", Exit::not_found},
        {"Conflict", Exit::undecided}, {"Exhausted", Exit::exhausted}, {"Unavailable", Exit::internal},
        {"Internal", Exit::internal},  {"OfTomorrow", Exit::internal},
    };
    for (const auto& [name, exit] : table) {
        const Failure failure = failure_of_reply(refuses(name, "because"));
        EXPECT_EQ(failure.exit, exit) << name;
        EXPECT_THAT(failure.message, HasSubstr("because")) << name;
    }
    EXPECT_EQ(failure_of_reply(fails("org.varlink.service.InvalidParameter", {{"parameter", "id"}})).exit,
              Exit::usage);
    EXPECT_EQ(failure_of_reply(fails("org.varlink.service.MethodNotFound", {{"method", "x"}})).exit,
              Exit::internal);
    EXPECT_EQ(failure_of_reply(fails("io.jitsudo.Access.Refused", Json::object())).exit, Exit::refused);
}

TEST(CtlClient, nonsense_is_an_error) {
    const auto raw = [](std::string bytes) { return Scripted{.bytes = std::move(bytes) + '\0', .then = {}}; };
    for (const char* text :
         {"", "[]", "nonsense", R"({"parameters":[]})", R"({"parameters":{},"parameters":{}})",
          R"({"parameters":{},"continues":true})", R"({"error":7})"}) {
        EXPECT_EQ(failure_of_reply(raw(text)).exit, Exit::internal) << text;
    }
}

TEST(CtlClient, a_reply_that_breaks_off_is_no_reply) {
    const Failure failure = failure_of_reply({.bytes = R"({"parameters":{)", .hang_up = true, .then = {}});
    EXPECT_EQ(failure.exit, Exit::unreachable);
    EXPECT_THAT(failure.message, HasSubstr("mid-answer"));
    EXPECT_EQ(failure_of_reply({.bytes = {}, .hang_up = true, .then = {}}).exit, Exit::unreachable);
}

TEST(CtlClient, a_reply_without_an_end_is_given_up) {
    const Failure failure =
        failure_of_reply({.bytes = std::string(largest_reply + (1U << 20U), 'x'), .then = {}});
    EXPECT_EQ(failure.exit, Exit::internal);
    EXPECT_THAT(failure.message, HasSubstr("64 MiB"));
}

TEST(CtlClient, a_server_that_says_nothing_or_half_a_reply_is_given_up) {
    for (const char* bytes : {"", R"({"parameters")"}) {
        FakeJitd jitd({Scripted{.bytes = bytes, .then = {}}});
        const auto start = std::chrono::steady_clock::now();
        const auto reply = ask(jitd, 100ms);
        EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().exit, Exit::unreachable);
    }
}

TEST(CtlClient, a_socket_where_nobody_accepts_is_given_up) {
    const TemporaryDirectory directory;
    const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, directory.file("s").c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listener.get(), 0), 0);
    const ClientOptions options{.socket = directory.file("s"), .own_uid_trusted = true, .timeout = 100ms};
    std::vector<Client> queued;
    for (int i = 0; i < 8; ++i) {
        auto client = Client::connect(options);
        if (!client) {
            EXPECT_EQ(client.error().exit, Exit::unreachable);
            return;
        }
        queued.push_back(std::move(*client));
    }
    FAIL() << "the queue is never full";
}

TEST(CtlClient, a_call_longer_than_jitd_takes_is_not_sent) {
    FakeJitd jitd(std::vector<Scripted>{});
    auto client = Client::connect({.socket = jitd.path(), .own_uid_trusted = true});
    ASSERT_TRUE(client);
    const auto reply = client->call("Request", {{"reason", std::string(70'000, 'x')}});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().exit, Exit::usage);
}

TEST(CtlClient, without_a_socket_it_says_what_to_look_at) {
    const auto client = Client::connect({.socket = "/nonexistent/socket"});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().exit, Exit::unreachable);
    EXPECT_THAT(client.error().message, HasSubstr("systemctl status jitd.socket jitd.service"));
}

TEST(CtlClient, a_path_that_is_no_socket_path_is_an_error) {
    for (const std::string& path : {std::string(), std::string(200, 'x')}) {
        const auto client = Client::connect({.socket = path});
        ASSERT_FALSE(client);
        EXPECT_EQ(client.error().exit, Exit::usage);
    }
}

// Who listens is who called listen(2): as root, this thread does it as nobody. (The raw call changes one
// thread; the C library's would change all.)
TEST(CtlClient, nothing_is_sent_to_a_server_that_is_not_root) {
    if (geteuid() == 0) {
        ASSERT_EQ(syscall(SYS_setresuid, -1, nobody, -1), 0);
    }
    const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    std::string name = "/tmp/jitctl-squat-XXXXXX";
    const bool made = mkdtemp(name.data()) != nullptr;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (name + "/s").c_str(), sizeof address.sun_path - 1);
    const bool listening =
        bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        listen(listener.get(), 8) == 0;
    if (getuid() == 0) {
        ASSERT_EQ(syscall(SYS_setresuid, -1, 0, -1), 0);
    }
    ASSERT_TRUE(made && listening);

    // As root, not even where the path was given with --socket: nobody is somebody else.
    const auto client = Client::connect({.socket = name + "/s", .own_uid_trusted = getuid() == 0});
    std::filesystem::remove_all(name);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().exit, Exit::unreachable);
    EXPECT_THAT(client.error().message, HasSubstr("belongs to uid"));
    const Fd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char byte = 0;
    EXPECT_EQ(recv(peer.get(), &byte, 1, MSG_DONTWAIT), 0) << "something was sent";
}

} // namespace
} // namespace jit

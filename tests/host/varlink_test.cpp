// SPDX-License-Identifier: MIT
// The socket is a Varlink service like any other: systemd's own client, which Debian 13 has, works with it.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;

constexpr const char* SOCKET = "/run/jit/io.jitsudo.Access";

class Varlink : public testing::Test {
protected:
    void SetUp() override { host.policy(POLICY); }
    // As alice; the words after the socket's path.
    Result call(const std::string& verb, const std::string& words) {
        return host.as("alice", "varlinkctl " + verb + " " + SOCKET + " " + words);
    }

    Host host;
};

TEST_F(Varlink, ItSaysWhatItIsAndDescribesItself) {
    EXPECT_THAT(call("info", "").out, HasSubstr("io.jitsudo.Access"));
    const Result described = call("introspect", "io.jitsudo.Access");
    EXPECT_EQ(described.status, 0) << described;
    EXPECT_THAT(described.out, HasSubstr("method Request("));
}

TEST_F(Varlink, ARequestIsFiledAndShownThroughVarlinkctl) {
    const Result asked =
        call("call -j",
             R"(io.jitsudo.Access.Request '{"role":"logs","reason":"by varlinkctl","duration":60000}')");
    ASSERT_EQ(asked.status, 0) << asked;
    const Json request = json_of(asked).at("request");
    EXPECT_EQ(request.at("state"), "active");
    const std::string id = request.at("id");
    EXPECT_EQ(
        json_of(call("call -j", "io.jitsudo.Access.Show '{\"id\":\"" + id + "\"}'")).at("request").at("id"),
        id);
}

TEST_F(Varlink, AnErrorComesBackByItsName) {
    const Result shown = call("call -j", R"(io.jitsudo.Access.Show '{"id":"0000"}')");
    EXPECT_NE(shown.status, 0);
    EXPECT_THAT(shown.out + shown.err, HasSubstr("io.jitsudo.Access.NotFound"));
}

TEST_F(Varlink, ChangesAreStreamedToWhoeverAsksForMore) {
    const std::string id = ask(host, "alice", "logs --for 2s");
    const Result watched = call("call -j --more", "io.jitsudo.Access.Watch '{\"id\":\"" + id + "\"}'");
    EXPECT_EQ(watched.status, 0) << watched;
    EXPECT_THAT(watched.out, HasSubstr("active"));
    EXPECT_THAT(watched.out, HasSubstr("expired"));
}

} // namespace
} // namespace jit::host

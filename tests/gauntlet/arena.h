// SPDX-License-Identifier: MIT
// What the tests of old holes have in common: a host for all tests of a suite, people with grants, and how to
// run much in one login. docs/cve.md says which hole each test is about.
//
// A test undoes what it changes, so that their order doesn't matter.
#pragma once

#include "tests/host/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace jit::host {

// alice has `tools` during all of it: as root or carol, without a password, ids, a shell and what else is
// needed. dave has `careful`: id, with his password. carol, bob and erin (a plain account) have nothing.
extern const char* const GAUNTLET_POLICY;

class Arena : public testing::Test {
protected:
    static void SetUpTestSuite();
    static void TearDownTestSuite();
    void TearDown() override; // of one that failed: the journal

    static Host& host() { return *host_; }

    // Each is run by a shell of its own, in a login that they share, without a standard input.
    static std::vector<Result> all(const std::string& user, const std::vector<std::string>& commands);
    static Result one(const std::string& user, const std::string& command);

    // The library of the host that PAM modules are in.
    static std::string module_directory();
    static std::string audit(const std::string& kind); // its lines
    static std::size_t starts();                       // commands that were recorded as begun

private:
    // Into a shell of that person's which stays: a login takes longer than most tests.
    static std::string typed(const std::string& user, const std::string& script);

    static std::unique_ptr<Host> host_;
    static std::map<std::string, Session> shells_; // by user
};

// A line into a file as root, and out of it again.
class Line {
public:
    Line(Host& host, std::string file, const std::string& first);
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

private:
    Host& host_;
    std::string file_;
};

// jit-sudo itself said no, and nothing of the command ran.
MATCHER(IsRefused, "") {
    *result_listener << "which is " << arg;
    return arg.status == 1 && arg.out.empty() && arg.err.find("jit-sudo") != std::string::npos;
}

// Whatever stopped it: nothing of the command ran. jit-sudo itself didn't crash.
MATCHER(RanNothing, "") {
    *result_listener << "which is " << arg;
    return arg.status != 0 && arg.out.empty();
}

MATCHER_P(RanAndSaid, text, "") {
    *result_listener << "which is " << arg;
    return arg.status == 0 && arg.out == text;
}

} // namespace jit::host

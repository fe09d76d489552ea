// SPDX-License-Identifier: MIT
// What these tests have in common: one host for a whole suite, and a policy. Each test is alone on it while
// it runs, and ends what it was granted.
#pragma once

#include "tests/host/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace jit::host {

// alice runs tools without a password, and may ask for web and for db; dave gives his password for id and
// true.
extern const char* const SURFACE_POLICY;

class Surface : public testing::Test {
public:
    static void SetUpTestSuite() {
        shared_ = std::make_unique<Host>();
        shared_->policy(SURFACE_POLICY);
    }
    static void TearDownTestSuite() { shared_.reset(); }

protected:
    static Host& host() { return *shared_; }
    void TearDown() override;

private:
    static inline std::unique_ptr<Host> shared_;
};

} // namespace jit::host

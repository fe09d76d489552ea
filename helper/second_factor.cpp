// SPDX-License-Identifier: MIT
#include "helper/second_factor.h"

#include "helper/authenticate.h"
#include "helper/messages.h"

#include <unistd.h>
#include <utility>

namespace jit {
namespace {

bool has_file(const std::string& service) {
    return access(("/etc/pam.d/" + service).c_str(), R_OK) == 0 ||
           access(("/usr/lib/pam.d/" + service).c_str(), R_OK) == 0;
}

} // namespace

Result<void> prove_second_factor(const std::string& service, const std::string& caller,
                                 const std::string& target, const std::string& tty, Asking asking) {
    if (!asking.allowed) {
        return fail(Errc::refused, messages::second_factor_required(service));
    }
    if (!has_file(service)) {
        return fail(Errc::refused, messages::no_second_factor(service));
    }
    // Also where it asks nothing here, but a person's telephone.
    if (auto may = asking.may_try(); !may) {
        return may;
    }
    asking.prompt = messages::second_factor_prompt(service);
    const auto pam = Pam::load(service.c_str(), std::move(asking));
    if (!pam) {
        return std::unexpected(pam.error());
    }
    if (auto begun = (*pam)->begin(caller, target, tty); !begun) {
        return begun;
    }
    return (*pam)->authenticate();
}

} // namespace jit

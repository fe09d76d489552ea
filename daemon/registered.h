// SPDX-License-Identifier: MIT
// /run/jit/uses, where pam_jit leaves what jitd has to know (core/registration.h).
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/registration.h"

#include <cstdint>
#include <string>
#include <vector>

namespace jit {

class Registered {
public:
    explicit Registered(std::string directory = uses_directory) : directory_(std::move(directory)) {}

    // Makes it where it isn't there: 0700, so that nobody but root registers or reads anything.
    [[nodiscard]] Result<void> make() const;
    // Readable (inotify(7)) when something was put there.
    [[nodiscard]] Result<Fd> watch() const;
    // Reads all that a watch has to tell. Which file it was doesn't matter, the folder is read as it is; but
    // one that was removed or moved away, folder and all, has to be made and watched anew.
    [[nodiscard]] static bool folder_is_gone(int watch);

    // The audit sessions that are registered.
    [[nodiscard]] std::vector<std::uint32_t> sessions() const;
    [[nodiscard]] Result<RegisteredUse> read(std::uint32_t session) const;
    void remove(std::uint32_t session) const;

    // Those not taken yet; what can't be read is an error in its place.
    [[nodiscard]] std::vector<Result<RegisteredRefusal>> take_refusals() const;

private:
    [[nodiscard]] std::vector<std::string> names() const;
    std::string directory_;
};

} // namespace jit

// SPDX-License-Identifier: MIT
// The cgroups in which elevations live: one each, below the unit jit-elevations.service, which systemd
// delegates to us (Delegate=yes). Needs cgroup v2.
//
// MUST:
//  1. Names are ours: 1 to 32 of [0-9a-z-]; nothing else below the base is touched.
//  2. An end is kill, then remove: a helper that was held back then finds nothing to be born into.
#pragma once

#include "core/error.h"
#include "core/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jit {

// What all of an elevation together may use. None: as much as the host has.
struct CgroupLimits {
    std::optional<std::uint64_t> memory; // bytes, and then no swap
    std::optional<std::uint32_t> processes;
};

class Elevations {
public:
    explicit Elevations(std::string base = "/sys/fs/cgroup/jit.slice/jit-elevations.service");

    // Makes the cgroup, sets its limits, and opens it. An error where there is no cgroup v2, the unit isn't
    // running, or a limit can't be set: the kernel's controllers may be off, or belong to cgroup v1.
    [[nodiscard]] Result<Fd> create(const std::string& name, const CgroupLimits& limits) const;
    [[nodiscard]] std::vector<std::string> list() const;
    [[nodiscard]] bool exists(const std::string& name) const;
    // Whether the process is in it, or in one below it.
    [[nodiscard]] bool holds(const std::string& name, std::uint32_t pid) const;
    // Its cgroup.events: epoll says EPOLLPRI when "populated" changes. Not open: there is no such cgroup.
    [[nodiscard]] Fd open_events(const std::string& name) const;
    // Whether processes are in it or below it. One that isn't there holds none; not being able to look is an
    // error.
    [[nodiscard]] Result<bool> populated(const std::string& name) const;
    // What jit-sudo has noted there (exit_attribute): how its command has ended.
    [[nodiscard]] std::optional<std::int32_t> noted_exit(const std::string& name) const;
    // TERM, HUP and CONT to each process: the notice before the end.
    void ask_to_end(const std::string& name) const;
    // SIGKILL to everything in it and below it, at once, whoever forks meanwhile. Also frozen ones die.
    void kill(const std::string& name) const;
    // Removes it with what was made below it. False: something is still in it, or there is more than is
    // removed at once: it goes on with the next call.
    [[nodiscard]] bool remove(const std::string& name) const;

    // The limits of a cgroup that is there.
    [[nodiscard]] Result<void> limit(const std::string& name, const CgroupLimits& limits) const;

private:
    [[nodiscard]] std::string path(const std::string& name) const { return base_ + "/" + name; }
    std::string base_;
};

} // namespace jit

// SPDX-License-Identifier: MIT
#include "daemon/search/set_id.h"

#include "core/fd.h"
#include "daemon/account_protocol.h"
#include "daemon/search/disarm.h"
#include "daemon/search/ending.h"
#include "daemon/search/mounts.h"
#include "daemon/search/open_files.h"
#include "daemon/search/reach.h"
#include "daemon/search/walk.h"
#include "daemon/still.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <iterator>
#include <memory>
#include <set>
#include <sys/xattr.h>

namespace jit {
namespace {

constexpr int passes_until_held = 5;
// What a program that is gone still holds is let go of after a minute (still.h), and so what this one does.
constexpr std::time_t longest_held = 50;
constexpr std::size_t most_names = 4 * most_left;

// A grant with what was found of its making.
struct Found {
    Reach reach;
    DisarmNote note;
    std::set<std::string> told = {}; // the first most_names
    std::set<Uid> uids = {};
    std::set<Gid> gids = {};
    std::set<FileId> files = {}; // what was disarmed
};

class Search {
public:
    explicit Search(std::vector<Found>& all) : all_(all) {
        for (const Found& one : all) {
            owners_.insert(one.reach.makers.begin(), one.reach.makers.end());
            any_root_ = any_root_ || one.reach.grant->root;
        }
    }

    void in(const std::set<std::string>& trees) {
        std::time_t held_since = 0;
        const Walked walked =
            walk({.trees = {trees.begin(), trees.end()},
                  .remote = true,
                  .passes = passes_until_held,
                  .hold = [&]() -> std::shared_ptr<void> {
                      held_since = std::time(nullptr);
                      return std::make_shared<Still>(owners_, "search");
                  },
                  .look = [this](int directory, const char* name, const struct stat& file,
                                 const std::string& path) { look_at(directory, name, file, path, true); }});
        const bool held_too_long = held_since != 0 && std::time(nullptr) - held_since > longest_held;
        for (const Found& one : all_) {
            for (const std::string& problem : walked.problems) {
                one.reach.searched->problem(problem);
            }
            if (walked.changed && (held_too_long || runs_elsewhere({one.reach.grant->uid}))) {
                one.reach.searched->problem_for_now("files may have been moved about meanwhile");
            }
        }
    }

    // In trees that are named it is met once more on the way through everything, without its bits.
    void everywhere() {
        if (!any_root_) {
            return;
        }
        const Walked walked =
            walk({.trees = {"/"},
                  .remote = false,
                  .passes = 1,
                  .look = [this](int directory, const char* name, const struct stat& file,
                                 const std::string& path) { look_at(directory, name, file, path, false); }});
        for (const Found& one : all_) {
            for (const std::string& problem : walked.problems) {
                if (one.reach.grant->root) {
                    one.reach.searched->problem(problem);
                }
            }
        }
    }

    void make_last() {
        if (const auto lasts = disarmed_.make_last(); !lasts) {
            for (const Found& one : all_) {
                one.reach.searched->problem_for_now(lasts.error().message);
            }
        }
    }

    // Whoever has a file open may hand it on: they are held still meanwhile.
    void nameless() {
        const Still still(owners_, "search");
        const auto looked =
            look_at_nameless([this](int place, const struct stat& file, const std::string& path) {
                tell(place, file, path, true, false);
            });
        for (const Found& one : all_) {
            if (!looked) {
                one.reach.searched->problem(looked.error());
            }
        }
    }

private:
    void look_at(int directory, const char* name, const struct stat& file, const std::string& path,
                 bool named) {
        tell_of_made(file, path);
        const bool executable = any_root_ && (file.st_mode & 0111U) != 0;
        if ((file.st_mode & set_id_bits) == 0 && !executable) {
            return;
        }
        const Fd place = open_place(directory, name);
        struct stat now{};
        if (!place || fstat(place.get(), &now) != 0 || now.st_ino != file.st_ino ||
            now.st_dev != file.st_dev) {
            return; // it was exchanged, which the next pass sees
        }
        const bool capable = executable && getxattr(fmt::format("/proc/self/fd/{}", place.get()).c_str(),
                                                    "security.capability", nullptr, 0) > 0;
        if ((now.st_mode & set_id_bits) != 0 || capable) {
            if (tell(place.get(), now, shown_path(path), named, capable)) {
                disarmed_.add(directory, now.st_dev);
            }
        }
    }

    // What an account that is gone still owns. Its home is kept, or being removed.
    void tell_of_made(const struct stat& file, const std::string& path) {
        for (Found& one : all_) {
            const SearchFor& grant = *one.reach.grant;
            if (grant.made && Uid{file.st_uid} == grant.uid &&
                !path.starts_with(home_of(grant.account) + '/') &&
                (one.told.size() >= most_names || one.told.insert(shown_path(path)).second)) {
                one.reach.searched->add({.what = "file", .how = "left behind", .name = shown_path(path)});
            }
        }
    }

    // Whether it was disarmed.
    bool tell(int place, const struct stat& file, const std::string& path, bool named, bool capable) {
        std::vector<Found*> makers;
        bool to_disarm = false;
        for (Found& one : all_) {
            if (one.reach.made_possible(file, capable) && (named || one.reach.grant->root)) {
                makers.push_back(&one);
                to_disarm = to_disarm || (named && one.reach.may_disarm(file));
            }
        }
        const std::string name = described(file, path);
        const Uid setuid = (file.st_mode & S_ISUID) != 0 ? Uid{file.st_uid} : no_uid;
        for (Found* one : makers) {
            if (to_disarm) {
                if (const auto noted = one->note.add({.name = name, .setuid = setuid}); !noted) {
                    one->reach.searched->problem(noted.error().message);
                }
            }
        }
        const auto done = to_disarm ? disarm(place) : Result<void>();
        for (Found* one : makers) {
            if (!done) {
                one->reach.searched->problem_for_now(fmt::format("{}: {}", path, done.error().message));
            }
            if ((file.st_mode & S_ISGID) != 0) {
                one->gids.insert(Gid{file.st_gid});
            }
            one->uids.insert(setuid);
            if (to_disarm) {
                one->files.insert({.device = file.st_dev, .number = file.st_ino});
            }
            if (one->told.contains(name)) {
                continue;
            }
            if (one->told.size() < most_names) {
                one->told.insert(name);
            }
            one->reach.searched->add({.what = "set-id file",
                                      .how = to_disarm && done ? "disarmed" : "not disarmed",
                                      .name = name});
        }
        return to_disarm && done.has_value();
    }

    std::vector<Found>& all_;
    std::set<Uid> owners_;
    Disarmed disarmed_;
    bool any_root_ = false;
};

// What a search found that didn't live to tell.
void take_note(Found& found) {
    for (const DisarmNote::Entry& entry : found.note.before()) {
        if (found.told.insert(entry.name).second) {
            found.reach.searched->add({.what = "set-id file", .how = "disarmed", .name = entry.name});
        }
        found.uids.insert(entry.setuid);
    }
}

} // namespace

void search_set_id_files(const SearchJob& job, const std::vector<AccountNames>& run_as,
                         std::vector<Searched>& searched) {
    std::set<std::string> trees(job.trees.begin(), job.trees.end());
    std::vector<Found> all;
    for (std::size_t index = 0; index < job.grants.size(); ++index) {
        const SearchFor& grant = job.grants[index];
        all.push_back({.reach = reach_of(grant, run_as[index], searched[index], trees),
                       .note = DisarmNote(grant.grant)});
        take_note(all.back());
    }
    Search search(all);
    search.in(trees);
    search.nameless();
    for (const Found& one : all) {
        // All groups that it gave: the file may be gone, and what ran from it lives on in another program.
        std::map<Gid, std::string> gids;
        std::ranges::copy_if(one.reach.groups, std::inserter(gids, gids.end()), [&](const auto& group) {
            return one.reach.own_groups_known || one.gids.contains(group.first);
        });
        std::set<Uid> uids;
        std::ranges::set_intersection(one.reach.run_as, one.uids, std::inserter(uids, uids.end()));
        end_what_ran(one.reach, {.gids = gids, .planted = one.gids, .uids = uids, .files = one.files});
    }
    search.everywhere();
    search.make_last();
}

} // namespace jit

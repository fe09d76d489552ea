// SPDX-License-Identifier: MIT
// What jitd and a search say to each other over /run/jit/search (SOCK_STREAM, root only): jitd one JSON
// object and the end of the stream, jit-search one JSON object and the end of the stream.
//
//   {"take_stock": true, "trees": ["/home", …], "stocks": {"12": "…"},
//    "grants": [{"grant": "7f3a", "account": "alice", "uid": 1000, "since": UTC ms, "ago": ms,
//                "groups": ["adm"], "run_as": ["postgres"], "root": true, "made": false, "stock": 12},
//               …]}
//   {"stock": "…", "grants": [{"grant": "7f3a", "left": [{"what": "account", "how": "added", "name": "x"},
//   …],
//                              "count": 1, "problems": ["…"], "again": false}, …]}
//
// A stock (search/stock.h) is opaque to jitd: it keeps one for each grant that gives root, and hands it back.
// It is answered where no grant is asked about; else it is taken to compare with.
//
// What is disarmed is written down first, in /run/jit/disarmed-GRANT, for the search that is made should this
// one or jitd not live to tell. jitd removes it once it has recorded what was found.
#pragma once

#include "core/error.h"
#include "core/time.h"
#include "core/types.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr const char* search_socket = "/run/jit/search";
inline constexpr std::size_t largest_search = 256 * 1024 * 1024;

// A grant that has ended: what may have been left behind by its right.
struct SearchFor {
    RequestId grant;
    std::string account;
    Uid uid = no_uid;
    Time since;    // it began
    Millis ago{0}; // and that is so long ago: by UTC alone it isn't known once the clock was set
    std::vector<std::string> groups;   // session groups and memberships
    std::vector<std::string> run_as;   // accounts
    bool root = false;                 // root's rights: anything may be changed
    bool made = false;                 // the account was there by it alone: whatever it owns is left behind
    std::optional<std::int64_t> stock; // how things were when it began
};

struct SearchJob {
    bool take_stock = false;
    std::vector<std::string> trees; // in which set-id files are disarmed
    std::map<std::int64_t, std::string> stocks;
    std::vector<SearchFor> grants;
};

// One thing that is otherwise than it was.
struct Change {
    std::string what; // "account", "unit", "set-id file" …
    std::string how;  // "added", "changed", "removed", "disarmed", "not disarmed"
    std::string name;
    auto operator<=>(const Change&) const = default;
};

struct Searched {
    RequestId grant;
    std::vector<Change> left;               // the first most_left
    std::uint64_t count = 0;                // of all
    std::vector<std::string> problems = {}; // what couldn't be looked at
    bool again = false;                     // it may be otherwise in a while: it is to be searched for again

    void add(Change change);
    void problem(std::string text);
    // What isn't so for good.
    void problem_for_now(std::string text);
    void problem(const Error& error); // for now, unless there is no such thing
};
inline constexpr std::size_t most_left = 500;
inline constexpr std::size_t most_told = 100; // problems

[[nodiscard]] std::string disarmed_note(const RequestId& grant); // its path

struct SearchReply {
    std::optional<std::string> stock;
    std::vector<Searched> grants;
};

[[nodiscard]] std::string search_text(const SearchJob& job);
[[nodiscard]] std::string search_text(const SearchReply& reply);
[[nodiscard]] Result<SearchJob> parse_search_job(std::string_view text);
[[nodiscard]] Result<SearchReply> parse_search_reply(std::string_view text);

} // namespace jit

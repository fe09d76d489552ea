// SPDX-License-Identifier: MIT
#include "daemon/search_call.h"

#include <utility>

namespace jit {

void SearchCall::ask(const SearchJob& job, Done done) {
    one_shot_.ask(loop_, socket_, search_text(job),
                  {.patience = std::chrono::minutes(30), .largest = largest_search},
                  [done = std::move(done)](const Result<std::string>& answer) {
                      auto reply = answer ? parse_search_reply(*answer) : std::unexpected(answer.error());
                      done(reply ? std::move(reply)
                                 : fail(Errc::unavailable, "jit-search failed (" + reply.error().message +
                                                               "): see journalctl -u 'jit-search@*'"));
                  });
}

} // namespace jit

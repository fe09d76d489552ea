// SPDX-License-Identifier: MIT
#include "daemon/policy_keeper.h"

#include <fmt/format.h>
#include <sodium.h>

namespace jit {
namespace {

Json to_json(const std::vector<PolicySource>& sources) {
    Json list = Json::array();
    for (const PolicySource& source : sources) {
        list.push_back({{"name", source.name}, {"text", source.text}});
    }
    return list;
}

Json files_and_digests(const std::vector<PolicySource>& sources) {
    Json list = Json::array();
    for (const PolicySource& source : sources) {
        Hash digest;
        crypto_generichash(digest.data(), digest.size(),
                           reinterpret_cast<const unsigned char*>(source.text.data()), source.text.size(),
                           nullptr, 0);
        list.push_back({{"file", source.name}, {"blake2b", to_hex(digest)}});
    }
    return list;
}

} // namespace

Result<void> PolicyKeeper::load() {
    LoadedPolicy loaded = load_policy(directory_, Ownership::root_only);
    const Time now = clock_.now().time;
    Json problems = Json::array();
    for (const Problem& problem : loaded.problems) {
        problems.push_back(problem.text());
    }
    const auto recorded = store_.transact([&]() -> Result<void> {
        if (loaded.policy) {
            store_.append("policy.loaded", now,
                          {{"files", files_and_digests(loaded.sources)}, {"problems", problems}});
            store_.set_policy_sources(to_line(to_json(loaded.sources)));
        } else {
            store_.append("policy.rejected", now, {{"problems", problems}});
        }
        return {};
    });
    if (!recorded) {
        return recorded;
    }
    problems_ = std::move(loaded.problems);
    current_ = loaded.policy.has_value();
    if (loaded.policy) {
        policy_ = std::move(*loaded.policy);
        loaded_ = now;
        in_force_ = true;
    } else if (!in_force_) {
        restore();
    }
    return {};
}

void PolicyKeeper::restore() {
    const auto text =
        store_.guarded([&]() -> Result<std::optional<std::string>> { return store_.policy_sources(); });
    if (!text || !*text) {
        return;
    }
    const auto json = parse_json(**text);
    if (!json || !json->is_array()) {
        return;
    }
    std::vector<PolicySource> sources;
    for (const Json& source : *json) {
        if (!source.is_object() || !source.contains("name") || !source.contains("text") ||
            !source["name"].is_string() || !source["text"].is_string()) {
            return;
        }
        sources.push_back(
            {.name = source["name"].get<std::string>(), .text = source["text"].get<std::string>()});
    }
    if (auto parsed = parse_policy(sources); parsed.policy) {
        policy_ = std::move(*parsed.policy);
        loaded_ = clock_.now().time;
        in_force_ = true;
    }
}

} // namespace jit

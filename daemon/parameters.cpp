// SPDX-License-Identifier: MIT
#include "daemon/parameters.h"

#include "core/text.h"

namespace jit {
namespace {

constexpr std::size_t longest_text = 8192;
constexpr std::size_t longest_list = 1024;

} // namespace

const Json* Parameters::value(const char* name) {
    known_.insert(name);
    const auto found = json_.find(name);
    // Varlink: null is another way of leaving an optional field out.
    return found == json_.end() || found->is_null() ? nullptr : &*found;
}

void Parameters::reject(const char* name) {
    if (!wrong_) {
        wrong_ = name;
    }
}

std::string Parameters::text(const char* name) {
    auto found = optional_text(name);
    if (!found) {
        reject(name);
    }
    return found.value_or(std::string());
}

std::optional<std::string> Parameters::optional_text(const char* name) {
    const Json* json = value(name);
    if (json == nullptr) {
        return std::nullopt;
    }
    if (!json->is_string() || json->get_ref<const std::string&>().size() > longest_text ||
        !is_text(json->get_ref<const std::string&>())) {
        reject(name);
        return std::nullopt;
    }
    return json->get<std::string>();
}

std::vector<std::string> Parameters::texts(const char* name) {
    std::vector<std::string> list;
    const Json* json = value(name);
    if (json == nullptr) {
        return list;
    }
    if (!json->is_array() || json->size() > longest_list) {
        reject(name);
        return list;
    }
    for (const Json& item : *json) {
        if (!item.is_string() || item.get_ref<const std::string&>().size() > longest_text ||
            !is_text(item.get_ref<const std::string&>())) {
            reject(name);
            return {};
        }
        list.push_back(item.get<std::string>());
    }
    return list;
}

std::optional<std::int64_t> Parameters::optional_number(const char* name) {
    const Json* json = value(name);
    if (json == nullptr) {
        return std::nullopt;
    }
    // An unsigned number beyond int64 would wrap.
    if (!json->is_number_integer() ||
        (json->is_number_unsigned() && json->get<std::uint64_t>() > INT64_MAX)) {
        reject(name);
        return std::nullopt;
    }
    return json->get<std::int64_t>();
}

std::optional<Millis> Parameters::optional_duration(const char* name) {
    const auto count = optional_number(name);
    if (!count) {
        return std::nullopt;
    }
    if (*count <= 0 || *count > longest_duration.count()) {
        reject(name);
        return std::nullopt;
    }
    return Millis(*count);
}

bool Parameters::flag(const char* name) {
    const Json* json = value(name);
    if (json != nullptr && !json->is_boolean()) {
        reject(name);
    }
    return json != nullptr && json->is_boolean() && json->get<bool>();
}

std::optional<std::string> Parameters::wrong() const {
    if (wrong_) {
        return wrong_;
    }
    for (const auto& [name, unused] : json_.items()) {
        if (!known_.contains(name)) {
            return name;
        }
    }
    return std::nullopt;
}

} // namespace jit

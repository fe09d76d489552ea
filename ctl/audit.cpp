// SPDX-License-Identifier: MIT
// Reading the audit trail.
#include "ctl/print.h"
#include "ctl/verbs.h"

namespace jit {
namespace {

bool is_text(const Json& body, const char* key, const std::string& wanted) {
    const auto field = body.find(key);
    return field != body.end() && *field == wanted;
}

bool wanted(const Json& body, const AuditOptions& options) {
    return (!options.kind || is_text(body, "kind", *options.kind)) &&
           (!options.request || is_text(body, "request", *options.request));
}

} // namespace

Outcome<Exit> audit(const Context& context, const AuditOptions& options) {
    Json parameters{{"after", options.after}};
    if (options.follow) {
        parameters["follow"] = true;
    }
    bool understood = true;
    const auto take = [&](const Json& reply) {
        const auto events = reply.find("events");
        understood = events != reply.end() && events->is_array();
        for (std::size_t i = 0; understood && i < events->size(); ++i) {
            const Json& event = (*events)[i];
            const auto text = event.is_object() ? event.find("body") : event.end();
            const auto body = text != event.end() && text->is_string()
                                  ? parse_json(text->get_ref<const std::string&>())
                                  : Result<Json>(fail(Errc::invalid, {}));
            if (!body || !body->is_object()) {
                understood = false;
            } else if (wanted(*body, options)) {
                context.print_json(event);
                context.print_text(event_line(*body));
            }
        }
        return understood && context.out.good();
    };
    auto client = Client::connect(context.client);
    if (!client) {
        return std::unexpected(client.error());
    }
    // Where nothing has happened yet, the first reply of those to come may be long in coming.
    const auto streamed = client->stream(
        "Audit", parameters, options.follow ? Client::First::whenever : Client::First::soon, nullptr, take);
    if (!streamed) {
        return std::unexpected(streamed.error());
    }
    if (!understood) {
        return internal_failure("an event of the audit can't be read; try: jitctl audit verify");
    }
    return Exit::done;
}

} // namespace jit

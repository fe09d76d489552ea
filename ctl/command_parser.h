// SPDX-License-Identifier: MIT
// What the command line may be: each verb with its options, and what they are kept in. For
// ctl/command_line*.cpp only.
#pragma once

#include "ctl/command_line.h"

#include <CLI/CLI.hpp>

#include <map>
#include <string>

namespace jit {

using Verb = decltype(CommandLine::verb);

template <Outcome<Exit> (*verb)(const Context&)>
Outcome<Exit> without_options(const Context& context, const CommandLine&) {
    return verb(context);
}

[[nodiscard]] CLI::Validator id_validator();

class CommandParser {
public:
    explicit CommandParser(CommandLine& line);

    CLI::App& app() { return app_; }

    // The verb that was parsed: the innermost one.
    [[nodiscard]] const CLI::App& parsed() const;
    // What it does; nothing where it only has verbs of its own.
    [[nodiscard]] Verb parsed_verb() const;
    // Whether --command stood before a command to explain.
    [[nodiscard]] bool command_flag() const { return command_flag_; }

private:
    // Options that every verb takes. They are declared for each, and not inherited, so that a verb's --help
    // is complete.
    void add_common(CLI::App& app);
    CLI::App& verb(CLI::App& parent, const char* name, const char* description, const char* group, Verb run);
    void add_id(CLI::App& app, std::string& id, const char* description);

    // command_line_people.cpp
    void add_ask_options(CLI::App& app);
    void add_role_options(CLI::App& app);
    void add_key_option(CLI::App& app);
    CLI::Option* add_ids(CLI::App& app, const char* description);
    void add_asking();
    void add_answering();

    // command_line_host.cpp
    void add_looking();
    void add_host();
    void add_locks();
    // What jit-sudo calls, and nobody else.
    void add_hidden();
    void add_pam(CLI::App& pam);

    CommandLine& line_;
    CLI::App app_;
    bool version_ = false;
    bool command_flag_ = false;
    std::map<const CLI::App*, Verb> verbs_;
};

} // namespace jit

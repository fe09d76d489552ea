// SPDX-License-Identifier: MIT
// What runs with root's rights before anything is decided: compared with the list beside this file, so that
// nobody adds to it unawares.
#include "tests/surface/surface.h"

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Setuid : public Surface {
protected:
    static void SetUpTestSuite() {
        Surface::SetUpTestSuite();
        binary_ = testing::TempDir() + "jit-sudo-" + std::to_string(getpid());
        std::ofstream(binary_, std::ios::binary) << host().root("cat /usr/bin/jit-sudo").out;
    }
    static void TearDownTestSuite() {
        std::remove(binary_.c_str());
        Surface::TearDownTestSuite();
    }

    // Of the binary, read by binutils on this machine.
    static std::string run(const std::string& command) {
        std::string out;
        FILE* const pipe = popen((command + ' ' + binary_).c_str(), "r");
        for (int c = 0; pipe != nullptr && (c = std::fgetc(pipe)) != EOF;) {
            out += static_cast<char>(c);
        }
        EXPECT_TRUE(pipe != nullptr && pclose(pipe) == 0) << command;
        return out;
    }

    // The words behind `key:` in the list.
    static std::set<std::string> listed(const std::string& key) {
        std::ifstream list(JIT_SETUID_LIST);
        std::set<std::string> words;
        std::string line;
        while (std::getline(list, line)) {
            if (line.starts_with(key + ":")) {
                std::istringstream rest(line.substr(key.size() + 1));
                for (std::string word; rest >> word;) {
                    words.insert(word);
                }
            }
        }
        EXPECT_THAT(words, Not(IsEmpty())) << key;
        return words;
    }

    static void expect(const std::string& key, const std::set<std::string>& found) {
        std::string text;
        for (const std::string& word : found) {
            text += ' ' + word;
            EXPECT_TRUE(listed(key).contains(word)) << key << ": " << word << " is not in " JIT_SETUID_LIST;
        }
        std::cout << key << ':' << text << '\n';
    }

private:
    static inline std::string binary_;
};

TEST_F(Setuid, it_links_what_is_listed_and_finds_it_nowhere_else) {
    std::istringstream dynamic(run("readelf -dW"));
    std::set<std::string> needed;
    for (std::string line; std::getline(dynamic, line);) {
        EXPECT_THAT(
            line, Not(testing::AnyOf(HasSubstr("(RPATH)"), HasSubstr("(RUNPATH)"), HasSubstr("(TEXTREL)"))));
        if (line.find("(NEEDED)") != std::string::npos) {
            const auto begin = line.find('[') + 1;
            needed.insert(line.substr(begin, line.find(']') - begin));
        }
    }
    expect("links", needed);
    EXPECT_EQ(needed.size(), listed("links").size()) << "what is listed and not linked goes from the list";
}

TEST_F(Setuid, it_exports_nothing_that_is_not_listed) {
    std::istringstream symbols(run("nm -D --defined-only"));
    std::set<std::string> exported;
    for (std::string address, type, name; symbols >> address >> type >> name;) {
        exported.insert(name.substr(0, name.find('@')));
    }
    expect("exports", exported);
}

TEST_F(Setuid, it_is_no_larger_than_is_listed) {
    const auto size = std::stoul(host().root("stat -c %s /usr/bin/jit-sudo").out);
    const auto most = std::stoul(*listed("bytes").begin());
    std::cout << "bytes: " << size << '\n';
    EXPECT_LE(size, most);
    EXPECT_GE(size, most / 2) << "the limit is far too high";
}

TEST_F(Setuid, it_is_hardened) {
    EXPECT_THAT(run("readelf -hW"), HasSubstr("DYN (Position-Independent Executable file)"));
    EXPECT_THAT(run("readelf -lW"),
                testing::AllOf(HasSubstr("GNU_RELRO"), Not(testing::ContainsRegex("GNU_STACK.*RWE"))));
    EXPECT_THAT(run("readelf -dW"), HasSubstr("BIND_NOW"));
    EXPECT_THAT(run("nm -D --undefined-only"),
                testing::AllOf(HasSubstr("__stack_chk_fail"), HasSubstr("_chk@")));
}

TEST_F(Setuid, before_it_asks_it_makes_listed_system_calls_only) {
    ask(host(), "alice", "tools");
    const Result run =
        host().root("strace -u alice -o /root/calls jit-sudo -n id -u && cut -d'(' -f1 /root/calls");
    ASSERT_EQ(run.status, 0) << run;
    std::istringstream calls(run.out);
    std::set<std::string> made;
    std::string line;
    std::getline(calls, line); // what it was started by, or its output
    for (; std::getline(calls, line) && line != "sendto" && line != "sendmsg";) {
        made.insert(line);
    }
    made.erase("0"); // the command's output
    EXPECT_TRUE(calls.good()) << "it never asked:\n" << run.out;
    expect("calls", made);
}

} // namespace
} // namespace jit::host

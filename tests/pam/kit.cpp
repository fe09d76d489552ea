// SPDX-License-Identifier: MIT
#include "tests/pam/kit.h"

#include "core/db.h"
#include "core/fd.h"
#include "core/login_table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace jit {
namespace {

constexpr const char* services[] = {"sudo", "sshd", "su-l", "su"};

int talk(int count, const pam_message** messages, pam_response** responses, void* data) {
    auto& conversation = *static_cast<Conversation*>(data);
    for (int index = 0; index < count; ++index) {
        conversation.said += std::string(messages[index]->msg) + "\n";
    }
    *responses = conversation.responds && conversation.answer == PAM_SUCCESS
                     ? static_cast<pam_response*>(calloc(static_cast<std::size_t>(count), sizeof **responses))
                     : nullptr;
    return conversation.answer;
}

// So that a nobody with a root to go back to may still have another audit session, as sudo and su may.
void keep_audit_control() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct data[2]{};
    if (syscall(SYS_capget, &header, data) == 0) {
        data[0].effective = data[0].permitted & (1U << CAP_AUDIT_CONTROL);
        data[1].effective = 0;
        static_cast<void>(syscall(SYS_capset, &header, data));
    }
    // Else everything in /proc/self belongs to root.
    prctl(PR_SET_DUMPABLE, 1);
}

} // namespace

Handle::Handle(const std::string& service, const char* user, Conversation conversation)
    : conversation_(std::move(conversation)) {
    const pam_conv conv{.conv = conversation_.none ? nullptr : talk, .appdata_ptr = &conversation_};
    if (pam_start_confdir(service.c_str(), user, &conv, "pam.d", &handle_) != PAM_SUCCESS) {
        ADD_FAILURE() << "pam_start";
    }
}

Handle::~Handle() {
    pam_end(handle_, status_);
}

std::optional<std::string> Handle::variable(const std::string& name) const {
    const char* value = pam_getenv(handle_, name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

void PamTest::start(Way way) {
    way_ = way;
    const bool root = getuid() == 0;
    if (way == Way::login && !root) {
        GTEST_SKIP() << "a login is judged by PAM_USER only where the program is root's";
    }
    groups_.resize(static_cast<std::size_t>(getgroups(0, nullptr)));
    ASSERT_GE(getgroups(static_cast<int>(groups_.size()), groups_.data()), 0);
    const passwd* entry = root ? getpwnam("nobody") : getpwuid(getuid());
    ASSERT_NE(entry, nullptr);
    person = entry->pw_name;
    uid = Uid{entry->pw_uid};
    const gid_t gid = entry->pw_gid;
    const group* own = getgrgid(gid);
    ASSERT_NE(own, nullptr);
    own_group = own->gr_name;
    target = way == Way::call ? "root" : person;

    // Where files can be made without a name, on a real host too: tmpfs.
    directory_ = access("/dev/shm", W_OK) == 0 ? "/dev/shm/jit-pam-XXXXXX" : "/tmp/jit-pam-XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    ASSERT_EQ(chdir(directory_.c_str()), 0);
    for (const char* name : {"pam.d", "uses", "userdb"}) {
        ASSERT_EQ(mkdir(name, 0700), 0);
    }
    if (root) {
        // Loaded while we may read wherever the build directory is; it stays (-z nodelete).
        ASSERT_NE(dlopen(JIT_PAM_MODULE, RTLD_NOW), nullptr) << dlerror();
        ASSERT_NE(dlopen(JIT_PAM_PEEK, RTLD_NOW), nullptr) << dlerror();
    }
    if (way == Way::call && root) {
        for (const char* name : {".", "pam.d", "uses", "userdb"}) {
            ASSERT_EQ(chown(name, number(uid), gid), 0);
        }
        ASSERT_EQ(setgroups(0, nullptr), 0);
        ASSERT_EQ(setresgid(gid, gid, 0), 0);
        ASSERT_EQ(setresuid(number(uid), number(uid), 0), 0);
        keep_audit_control();
    }
    stack_of("other",
             "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n");
    stack_with("");
    write_table({});
}

void PamTest::TearDown() {
    interposed = {};
    if (way_ == Way::call && geteuid() != 0 && setresuid(0, 0, 0) == 0) {
        ASSERT_EQ(setresgid(0, 0, 0), 0);
    }
    if (geteuid() == 0) {
        ASSERT_EQ(setgroups(groups_.size(), groups_.data()), 0);
    }
    if (!directory_.empty()) {
        ASSERT_EQ(chdir("/"), 0);
        std::filesystem::remove_all(directory_);
    }
}

bool PamTest::has_audit_sessions(int count) {
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_DUMPABLE, 1);
        const std::string id = std::to_string(getuid());
        bool had = true;
        for (int done = 0; done < count && had; ++done) {
            const Fd file(::open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC));
            had = file && ::write(file.get(), id.data(), id.size()) > 0;
        }
        _exit(had ? 0 : 1);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

void PamTest::stack_of(const std::string& name, const std::string& lines) {
    std::string text = lines;
    for (std::size_t at = 0; (at = text.find("JIT", at)) != std::string::npos;) {
        text.replace(at, 3, JIT_PAM_MODULE);
        at += std::strlen(JIT_PAM_MODULE);
    }
    for (std::size_t at = 0; (at = text.find("PEEK", at)) != std::string::npos;) {
        text.replace(at, 4, JIT_PAM_PEEK);
        at += std::strlen(JIT_PAM_PEEK);
    }
    write("pam.d/" + name, text, 0644);
}

void PamTest::stack(const std::string& lines) {
    for (const char* name : services) {
        stack_of(name, lines);
    }
}

void PamTest::stack_with(const std::string& arguments) {
    stack("auth required pam_permit.so\nauth optional JIT\naccount required JIT " + arguments +
          "\nsession required JIT " + arguments + "\nsession optional PEEK\n");
}

Row PamTest::grant() const {
    Row row;
    row.uid = uid;
    row.account = person;
    row.services = service();
    return row;
}

std::string PamTest::table_bytes(const std::vector<Row>& rows, const std::string& more_sql) {
    Database db("", Database::Mode::memory);
    db.execute(login_table_schema);
    db.execute(("PRAGMA application_id = " + std::to_string(login_table_id) +
                "; PRAGMA user_version = " + std::to_string(login_table_version) +
                "; INSERT INTO host VALUES ('Ask in #ops');"
                "INSERT INTO doors VALUES ('sshd', 'web db'), ('sudo', 'web')")
                   .c_str());
    const ClockReading clock = read_system_clock();
    Statement insert = db.prepare("INSERT INTO grants VALUES (?,?,?,?,?,?,?,?,?)");
    for (const Row& row : rows) {
        insert.execute(std::int64_t{number(row.uid)}, row.account, row.id, row.role, row.services, row.groups,
                       (clock.realtime + row.left).time_since_epoch().count(),
                       (clock.boot + row.boot_left).time_since_epoch().count(),
                       (clock.realtime + row.reach).time_since_epoch().count());
    }
    if (!more_sql.empty()) {
        db.execute(more_sql.c_str());
    }
    return db.serialized();
}

void PamTest::write_table(const std::vector<Row>& rows, const std::string& more_sql) {
    write("logins.db", table_bytes(rows, more_sql));
}

void PamTest::write(const std::string& path, const std::string& bytes, unsigned mode) {
    // Beside and renamed over, as jitd does it.
    {
        std::ofstream file(path + ".new", std::ios::binary);
        file << bytes;
        ASSERT_TRUE(file.flush());
    }
    ASSERT_EQ(chmod((path + ".new").c_str(), mode), 0);
    ASSERT_EQ(rename((path + ".new").c_str(), path.c_str()), 0);
}

std::vector<std::string> PamTest::registered(bool refusals) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("uses")) {
        if (is_refusal_file(entry.path().filename().string()) == refusals) {
            names.push_back(entry.path().filename());
        }
    }
    std::ranges::sort(names);
    return names;
}

std::optional<RegisteredRefusal> PamTest::refusal(int slot) {
    const auto names = registered(true);
    const auto file = static_cast<std::size_t>(slot) < names.size()
                          ? get_file("uses", names[static_cast<std::size_t>(slot)])
                          : std::nullopt;
    return file ? parse_registered_refusal(*file) : std::nullopt;
}

std::string name_of_way(const testing::TestParamInfo<Way>& info) {
    return info.param == Way::call ? "call" : "login";
}

} // namespace jit

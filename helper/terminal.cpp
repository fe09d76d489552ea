// SPDX-License-Identifier: MIT
#include "helper/terminal.h"

#include "helper/report.h"

#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

namespace jit {
namespace {

// The device behind a terminal's descriptor, also behind /dev/tty's; the kernel has it in its own 32-bit
// encoding.
std::optional<dev_t> device_of(int fd) {
    unsigned int encoded = 0;
    if (ioctl(fd, TIOCGDEV, &encoded) != 0) {
        return std::nullopt;
    }
    return makedev((encoded & 0xfff00U) >> 8, (encoded & 0xffU) | ((encoded >> 12) & 0xfff00U));
}

// From the device's number: the names of descriptors 0 to 2 are the caller's choice.
std::string name_of(dev_t device) {
    constexpr unsigned first_pts_major = 136, last_pts_major = 143;
    std::string name;
    if (major(device) >= first_pts_major && major(device) <= last_pts_major) {
        name = "/dev/pts/" + std::to_string((major(device) - first_pts_major) * 256 + minor(device));
    } else {
        const std::string link =
            "/sys/dev/char/" + std::to_string(major(device)) + ':' + std::to_string(minor(device));
        std::array<char, PATH_MAX> target{};
        const ssize_t length = readlink(link.c_str(), target.data(), target.size());
        if (length <= 0 || static_cast<std::size_t>(length) >= target.size()) {
            return {};
        }
        const std::string_view path(target.data(), static_cast<std::size_t>(length));
        name = "/dev/" + std::string(path.substr(path.rfind('/') + 1));
    }
    // Whoever mounts a devpts of their own has terminals of the same numbers. The kernel answers this about
    // one's controlling terminal only.
    struct stat status{};
    const Fd named(open(name.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    return named && fstat(named.get(), &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == device &&
                   tcgetsid(named.get()) == getsid(0)
               ? name
               : std::string();
}

} // namespace

bool Terminal::in_foreground() const {
    return tcgetpgrp(fd.get()) == getpgrp();
}

std::optional<Terminal> find_terminal() {
    Terminal terminal;
    terminal.fd.reset(open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!terminal.fd) {
        return std::nullopt;
    }
    const auto device = device_of(terminal.fd.get());
    if (!device) {
        return std::nullopt;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        terminal.standard[static_cast<std::size_t>(fd)] = device_of(fd) == device;
    }
    terminal.name = name_of(*device);
    return terminal;
}

Result<Pty> open_pty(const Terminal& like, Uid owner) {
    Pty pty;
    pty.master.reset(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!pty.master) {
        return fail_errno("a new terminal");
    }
    const int unlock = 0;
    if (ioctl(pty.master.get(), TIOCSPTLCK, &unlock) != 0) {
        return fail_errno("a new terminal's lock");
    }
    pty.slave.reset(ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!pty.slave) {
        return fail_errno("a new terminal's other side");
    }
    if (fchown(pty.slave.get(), number(owner), static_cast<gid_t>(-1)) != 0 || // the group is devpts's
        fchmod(pty.slave.get(), S_IRUSR | S_IWUSR | S_IWGRP) != 0) {
        return fail_errno("a new terminal's owner");
    }
    pty.settle(like);
    copy_window_size(like, pty.slave.get());
    return pty;
}

void Pty::settle(const Terminal& like) {
    termios settings{};
    if (!settled && like.in_foreground() && tcgetattr(like.fd.get(), &settings) == 0) {
        settled = tcsetattr(slave.get(), TCSANOW, &settings) == 0;
    }
}

UnusedMeanwhile::UnusedMeanwhile(const Terminal& terminal) {
    struct stat status{};
    if (!terminal.name.empty()) {
        device_.reset(open(terminal.name.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    }
    if (!device_ || fstat(device_.get(), &status) != 0 || !S_ISCHR(status.st_mode)) {
        device_.reset();
    }
    written_ = status.st_mtim;
}

UnusedMeanwhile::~UnusedMeanwhile() {
    const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, written_};
    if (device_) {
        static_cast<void>(futimens(device_.get(), times.data()));
    }
}

void copy_window_size(const Terminal& from, int pty) {
    winsize size{};
    if (ioctl(from.fd.get(), TIOCGWINSZ, &size) == 0) {
        ioctl(pty, TIOCSWINSZ, &size);
    }
}

void RawMode::enter() {
    termios settings{};
    if (!terminal_.in_foreground() || tcgetattr(terminal_.fd.get(), &settings) != 0) {
        return;
    }
    if (!before_ || (settings.c_lflag & ICANON) != 0) { // else these are still, or again, our own
        before_ = settings;
    }
    const termios as_it_was = settings;
    cfmakeraw(&settings);
    if (shared_) {
        settings.c_oflag = as_it_was.c_oflag;
        settings.c_lflag |= as_it_was.c_lflag & static_cast<tcflag_t>(ISIG);
    }
    if (tcsetattr(terminal_.fd.get(), TCSADRAIN, &settings) != 0) { // what was typed ahead stays
        before_.reset();
    }
}

void RawMode::leave() {
    if (before_ && terminal_.in_foreground()) {
        tcsetattr(terminal_.fd.get(), TCSADRAIN, &*before_);
    }
    before_.reset();
}

} // namespace jit

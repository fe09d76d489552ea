// SPDX-License-Identifier: MIT
// Preloaded, it starts a program's main with argc == 0, which kernels since 5.18 don't do any more. A program
// that is really setuid is not preloaded into: root runs it.
#include <dlfcn.h>

#include <cstdlib>
#include <unistd.h>

using Main = int (*)(int, char**, char**);

namespace {

Main real_main = nullptr;

int main_without(int, char**, char** environment) {
    static char* nothing[] = {nullptr, nullptr};
    return real_main(0, nothing, environment);
}

} // namespace

extern "C" __attribute__((visibility("default"))) int __libc_start_main(Main main, int argc, char** argv,
                                                                        void (*init)(), void (*fini)(),
                                                                        void (*ld_fini)(), void* stack) {
    using Start = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
    const auto start = reinterpret_cast<Start>(dlsym(RTLD_NEXT, "__libc_start_main"));
    if (start == nullptr) {
        _exit(99);
    }
    real_main = main;
    return start(main_without, argc, argv, init, fini, ld_fini, stack);
}

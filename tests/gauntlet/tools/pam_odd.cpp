// SPDX-License-Identifier: MIT
// A module that misbehaves as its arguments say, to see what the program makes of it:
//
//   rename=NAME   sets PAM_USER to NAME
//   count=N       sends N messages at once
//   style=N       of that style; 4 is information
//   text=WHICH    long, odd (control characters), null, or environment (the program's)
#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

int misbehave(pam_handle_t* handle, int count, const char** words) {
    std::map<std::string, std::string> how;
    for (int index = 0; index < count; ++index) {
        const std::string word = words[index];
        const auto equals = word.find('=');
        how[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
    if (how.contains("rename")) {
        return pam_set_item(handle, PAM_USER, how["rename"].c_str());
    }
    std::string text = "a message";
    if (how["text"] == "long") {
        text.assign(100'000, 'm');
    } else if (how["text"] == "environment") {
        text = "seen:";
        for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
            text += std::string(" ") + *variable;
        }
        text += '.';
    } else if (how["text"] == "odd") {
        text = "a\x1b[2Jb\x9b"
               "c\rd\ne\xe2\x80\xae"
               "f";
    }
    const pam_message message{how.contains("style") ? std::atoi(how["style"].c_str()) : PAM_TEXT_INFO,
                              how["text"] == "null" ? nullptr : text.c_str()};
    const int messages = how.contains("count") ? std::atoi(how["count"].c_str()) : 1;
    std::vector<const pam_message*> list(static_cast<std::size_t>(messages < 1 ? 1 : messages), &message);
    const void* item = nullptr;
    pam_response* responses = nullptr;
    if (pam_get_item(handle, PAM_CONV, &item) != PAM_SUCCESS || item == nullptr) {
        return PAM_CONV_ERR;
    }
    const auto* const conversation = static_cast<const pam_conv*>(item);
    const int said = conversation->conv(messages, list.data(), &responses, conversation->appdata_ptr);
    if (said == PAM_SUCCESS && responses != nullptr) {
        for (std::size_t index = 0; index < list.size(); ++index) {
            free(responses[index].resp);
        }
        free(responses);
    }
    return said;
}

} // namespace

extern "C" {

__attribute__((visibility("default"))) int pam_sm_authenticate(pam_handle_t* handle, int, int count,
                                                               const char** words) {
    return misbehave(handle, count, words);
}

__attribute__((visibility("default"))) int pam_sm_setcred(pam_handle_t*, int, int, const char**) {
    return PAM_SUCCESS;
}

__attribute__((visibility("default"))) int pam_sm_acct_mgmt(pam_handle_t* handle, int, int count,
                                                            const char** words) {
    return misbehave(handle, count, words);
}
}

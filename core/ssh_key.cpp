// SPDX-License-Identifier: MIT
#include "core/ssh_key.h"

#include "core/text.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>

namespace jit {
namespace {

constexpr std::size_t longest_line = 4096; // RSA with 16384 bits has 2.8 KB
constexpr std::array<std::string_view, 7> types = {"ssh-ed25519",
                                                   "sk-ssh-ed25519@openssh.com",
                                                   "ecdsa-sha2-nistp256",
                                                   "ecdsa-sha2-nistp384",
                                                   "ecdsa-sha2-nistp521",
                                                   "sk-ecdsa-sha2-nistp256@openssh.com",
                                                   "ssh-rsa"};

// The word up to the next blank; the rest begins behind it.
std::string_view take_word(std::string_view& line) {
    const std::string_view word = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(word.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return word;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string bytes(text.size() / 4 * 3 + 3, '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
        return std::nullopt;
    }
    bytes.resize(size);
    return bytes;
}

// A blob begins with its type: a length in four bytes, and the text.
bool says_type(std::string_view blob, std::string_view type) {
    if (blob.size() <= 4 + type.size()) {
        return false;
    }
    std::size_t length = 0;
    for (const char byte : blob.substr(0, 4)) {
        length = length << 8 | static_cast<unsigned char>(byte);
    }
    return length == type.size() && blob.substr(4, length) == type;
}

} // namespace

std::string SshKey::fingerprint() const {
    const std::string bytes = from_base64(blob).value_or("");
    std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    std::string text(sodium_base64_encoded_len(hash.size(), sodium_base64_VARIANT_ORIGINAL_NO_PADDING), '\0');
    sodium_bin2base64(text.data(), text.size(), hash.data(), hash.size(),
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    text.pop_back(); // the terminator
    return "SHA256:" + text;
}

Result<SshKey> parse_ssh_key(std::string_view line) {
    if (line.ends_with('\n')) {
        line.remove_suffix(1);
    }
    if (line.size() > longest_line || !is_printable(line)) {
        return fail(
            Errc::invalid,
            fmt::format("an ssh key is one line of at most {} bytes, as in a .pub file", longest_line));
    }
    const std::string_view type = take_word(line);
    const std::string_view blob = take_word(line);
    if (std::ranges::find(types, type) == types.end()) {
        return fail(Errc::invalid,
                    fmt::format("an ssh key begins with its type, such as ssh-ed25519, and this one with {}: "
                                "hand in a .pub file, without options",
                                escape(type.substr(0, 40))));
    }
    const auto bytes = from_base64(blob);
    if (!bytes || !says_type(*bytes, type)) {
        return fail(Errc::invalid, fmt::format("an ssh key of type {} is damaged, or cut off", type));
    }
    return SshKey{.type = std::string(type), .blob = std::string(blob)};
}

} // namespace jit

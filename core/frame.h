// SPDX-License-Identifier: MIT
// Length-prefixed binary frames: what jit-sudo and jitd say to each other is a few of them
// (core/helper_protocol.h). Arguments are bytes, not text, so there is nothing to escape and nothing to parse
// but lengths.
//
//   frame  = u32 length of what follows (little-endian), u8 type, fields
//   u8, u32, i64: little-endian; bytes: u32 length, bytes; list: u32 count, items
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr std::size_t frame_header = 4;

class FrameWriter {
public:
    explicit FrameWriter(std::uint8_t type) { u8(type); }
    void u8(std::uint8_t value);
    void u32(std::uint32_t value);
    void i64(std::int64_t value);
    void bytes(std::string_view value);
    void list(const std::vector<std::string>& values);
    void list(const std::vector<std::uint32_t>& values);
    [[nodiscard]] std::string frame() const; // the whole frame, with its length

private:
    std::string body_;
};

// Reads the fields of one frame's body in order. After anything that doesn't fit, all reads give zeros and
// empty values, and ok() is false: a caller reads all fields and asks once.
class FrameReader {
public:
    explicit FrameReader(std::string_view body) : rest_(body) {}
    std::uint8_t u8();
    std::uint32_t u32();
    std::int64_t i64();
    std::string bytes();
    std::vector<std::string> byte_list();
    std::vector<std::uint32_t> number_list();
    // All of it was read, and all reads fitted.
    [[nodiscard]] bool ok() const { return good_ && rest_.empty(); }

private:
    std::uint64_t number(std::size_t size);

    std::string_view rest_;
    bool good_ = true;
};

// The length of the body that a frame's first four bytes announce; none when it is over the limit or zero.
[[nodiscard]] std::optional<std::size_t> frame_length(std::string_view header, std::size_t most);

} // namespace jit

// SPDX-License-Identifier: MIT
#include "core/frame.h"

namespace jit {
namespace {

void put(std::string& out, std::uint64_t value, std::size_t size) {
    for (std::size_t index = 0; index < size; ++index) {
        out.push_back(static_cast<char>(value >> (8 * index) & 0xff));
    }
}

} // namespace

void FrameWriter::u8(std::uint8_t value) {
    put(body_, value, 1);
}
void FrameWriter::u32(std::uint32_t value) {
    put(body_, value, 4);
}
void FrameWriter::i64(std::int64_t value) {
    put(body_, static_cast<std::uint64_t>(value), 8);
}

void FrameWriter::bytes(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    body_.append(value);
}

void FrameWriter::list(const std::vector<std::string>& values) {
    u32(static_cast<std::uint32_t>(values.size()));
    for (const std::string& value : values) {
        bytes(value);
    }
}

void FrameWriter::list(const std::vector<std::uint32_t>& values) {
    u32(static_cast<std::uint32_t>(values.size()));
    for (const std::uint32_t value : values) {
        u32(value);
    }
}

std::string FrameWriter::frame() const {
    std::string whole;
    put(whole, body_.size(), frame_header);
    return whole + body_;
}

std::uint64_t FrameReader::number(std::size_t size) {
    if (!good_ || rest_.size() < size) {
        good_ = false;
        return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < size; ++index) {
        value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[index])) << (8 * index);
    }
    rest_.remove_prefix(size);
    return value;
}

std::uint8_t FrameReader::u8() {
    return static_cast<std::uint8_t>(number(1));
}
std::uint32_t FrameReader::u32() {
    return static_cast<std::uint32_t>(number(4));
}
std::int64_t FrameReader::i64() {
    return static_cast<std::int64_t>(number(8));
}

std::string FrameReader::bytes() {
    const std::size_t size = u32();
    if (!good_ || rest_.size() < size) {
        good_ = false;
        return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
}

std::vector<std::string> FrameReader::byte_list() {
    std::vector<std::string> values;
    // Each item takes four bytes at least, so a count that can't be true ends the loop early instead of
    // reserving.
    for (std::uint32_t count = u32(); count > 0 && good_; --count) {
        values.push_back(bytes());
    }
    return values;
}

std::vector<std::uint32_t> FrameReader::number_list() {
    std::vector<std::uint32_t> values;
    for (std::uint32_t count = u32(); count > 0 && good_; --count) {
        values.push_back(u32());
    }
    return values;
}

std::optional<std::size_t> frame_length(std::string_view header, std::size_t most) {
    FrameReader reader(header.substr(0, frame_header));
    const std::size_t length = reader.u32();
    if (!reader.ok() || length == 0 || length > most) {
        return std::nullopt;
    }
    return length;
}

} // namespace jit

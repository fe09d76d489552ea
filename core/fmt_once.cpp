// SPDX-License-Identifier: MIT
// libfmt, compiled into our own code once. Its shared library has another name on each Debian release, and as
// FMT_HEADER_ONLY it is compiled anew in every file, which doubles the time of a build.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, basic_format_args<buffer_context<char>>, locale_ref);
template auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref) -> char;
template auto dragonbox::to_decimal(float) noexcept -> dragonbox::decimal_fp<float>;
template auto dragonbox::to_decimal(double) noexcept -> dragonbox::decimal_fp<double>;

} // namespace detail
template auto detail::locale_ref::get<std::locale>() const -> std::locale;
FMT_END_NAMESPACE

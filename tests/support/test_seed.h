// Seeds and sizes of random tests. ARBOR_SEED repeats a run, ARBOR_FULL=1 makes it a long one.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>

namespace arbor::test {

inline std::optional<std::uint64_t> givenSeed() {
    const char* given = std::getenv("ARBOR_SEED");
    return given == nullptr ? std::nullopt : std::optional(std::strtoull(given, nullptr, 0));
}
inline std::uint64_t randomSeed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}
// 0 in ordinary runs.
inline std::uint64_t fullRun() {
    const char* full = std::getenv("ARBOR_FULL");
    return full == nullptr ? 0 : std::strtoull(full, nullptr, 0);
}
// How much of a random test an ordinary run under a sanitizer leaves out, being that much slower.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t slowness = 8;
#else
inline constexpr std::uint64_t slowness = 1;
#endif

} // namespace arbor::test

// Numbers that both ends of the control protocol hold each other to.
#pragma once

#include <QtGlobal>

#include <chrono>

namespace arbor {

// Raised with every change that an older client or engine would misunderstand.
inline constexpr int controlProtocolVersion = 1;

inline constexpr qsizetype maxRequestBytes = qsizetype{1} << 20;
inline constexpr qsizetype maxResponseBytes = qsizetype{64} << 20;
// Before `hello` a peer is a stranger and gets a small buffer only.
inline constexpr qsizetype maxHelloBytes = qsizetype{64} << 10;
// A connection that lets more than this pile up unread is cut: a response and some events on top.
inline constexpr qsizetype maxUnsentBytes = maxResponseBytes + (qsizetype{8} << 20);
// Requests of one connection that may wait for their answers at a time.
inline constexpr int maxOpenRequests = 1024;
inline constexpr int maxConnections = 4096;
inline constexpr std::chrono::milliseconds helloTimeout{10'000};
// A client that waits asks for a sign of life this often, and gives up after this long without one.
inline constexpr std::chrono::milliseconds pingInterval{5'000};
inline constexpr std::chrono::milliseconds pingPatience{30'000};

} // namespace arbor

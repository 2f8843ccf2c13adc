// Starts the engine of a store when none runs, so that nobody ever starts a server by hand.
#pragma once

#include "storage/base/status.h"

#include <chrono>
#include <string>
#include <vector>

namespace arbor {

// The pgarbord to start: $PGARBOR_ENGINE, else beside our own binary, in ../lib/pgarbor, ../libexec/pgarbor
// or ../lib from there, else in PATH. NotFound says where it was looked for.
Result<std::string> findEngine();

struct LaunchOptions {
    std::string store;
    std::vector<std::string> arguments{}; // besides --store DIR
    std::string engine{};                 // default: findEngine()
    std::chrono::milliseconds timeout{60'000};
};

// Makes sure that an engine of the store answers hello. Starts one when there is none: in a session of its
// own, with
// "/" as its directory, no standard input, and output to the log beside the socket. Two that start at once
// are harmless: the second engine ends, and both clients find the first. An engine that gives up is answered
// with the error that it names in its last line, "pgarbord (KIND): MESSAGE"; one that ends in another way
// without anybody answering is Unreachable with its last words. (Rejected: its exit code. It is nobody's
// child, and a code says less than the kind.)
//
// Blocks (give it a thread in the window). Needs no event loop. Creates nothing in the store.
Status ensureEngine(const LaunchOptions& options);

// Nobody listens: false. Listens but does not answer hello in time: Unreachable.
Result<bool> engineAnswers(const std::string& store, std::chrono::milliseconds timeout);

} // namespace arbor

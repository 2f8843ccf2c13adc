// Where the engine of a store listens, and who may talk to it.
//
// An engine listens in its own user's runtime directory: $XDG_RUNTIME_DIR/pgarbor when that variable names a
// directory of ours, else /tmp/pgarbor-<uid>. A client looks in every directory where the store's engine may
// be: its own ones, and, for root, those of the user to whom the store belongs, since an engine that root
// started has become that user. (Rejected: one directory that both may enter. It would have to be writable or
// listable for two users, and every check here is simple because a runtime directory has one.)
#pragma once

#include "storage/base/status.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace arbor {

struct ControlAddress {
    std::string directory;
    std::string socket; // <directory>/<hash of the canonical store path>.sock
    std::string lock;   // held by the engine that listens
    std::string log;    // what a started engine says before it has a log of its own
    std::string launch; // held by the client that starts an engine
    uid_t owner = 0;    // to whom the directory must belong
};

// The absolute path without links, dots and trailing slashes. What does not exist yet is taken as written.
std::string canonicalStore(const std::string& path);
// $PGARBOR_STORE, else $XDG_DATA_HOME/pgarbor, else ~/.local/share/pgarbor.
std::string defaultStore();
// A store has been made in the directory (its FORMAT file is there). Permission when we may not look.
Result<bool> storeExists(const std::string& path);

// Where this process listens when it is the engine of a store.
ControlAddress listenAddress(const std::string& store);
// Where a client looks for the engine of a store, best first.
std::vector<ControlAddress> searchAddresses(const std::string& store);

// Makes the directory (0700) unless it is there, and checks that it is a directory, no link, belongs to
// address.owner and is closed to everybody else.
Status prepareRuntimeDirectory(const ControlAddress& address);
// The checks alone; NotFound when there is none.
Status checkRuntimeDirectory(const ControlAddress& address);

struct Peer {
    uid_t uid = 0;
    pid_t pid = 0;
};
// SO_PEERCRED of a connected Unix socket.
Result<Peer> peerOf(int descriptor);

// A connection to the first address where somebody listens (non-blocking, close-on-exec). The listener must
// be this user, root or the directory's owner. Unreachable when nobody listens.
Result<int> connectToEngine(const std::string& store);
// The same to one socket that somebody named. The listener must be this user or root, or we root.
Result<int> connectToSocket(const std::string& path);

} // namespace arbor

// The PostgreSQL servers that this machine has. They are the distribution's, unpatched; nothing is bundled.
#pragma once

#include "storage/base/status.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

// Majors whose log the store can read (storage/wal holds the table of layouts).
inline constexpr int oldestMajor = 14;
inline constexpr int newestMajor = 18;

struct Installation {
    std::string binDirectory; // canonical; holds postgres and initdb
    std::string version;      // "15.20", "18beta1"
    int major = 0;

    std::string program(std::string_view name) const { return binDirectory + "/" + std::string(name); }
};

// What "postgres --version" prints: "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)".
// Nothing is returned for other text, and for the two-part majors before 10.
Result<Installation> parseVersion(std::string_view printed, std::string binDirectory);

// The one in this directory (a bin directory, or a prefix that holds one), or an error that says what is
// missing.
Result<Installation> installationIn(const std::string& directory);

// Every one found: the preferred directory (a setting; "" for none) first, then newest first: pg_config on
// PATH, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin and the usual places of an own build. A directory that
// holds no usable server is passed over. Runs each program once, which takes some milliseconds: keep the
// answer.
std::vector<Installation> findInstallations(const std::string& preferred = {});

// The one for a root of this major version; major 0: for a new root, any that the store supports.
// The error says what was found and which package to install.
Result<Installation> pickInstallation(std::span<const Installation> found, int major);

} // namespace arbor

#include "app/postgres/installations.h"

#include <QProcess>
#include <QStandardPaths>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

namespace arbor {

namespace fs = std::filesystem;

namespace {

constexpr int programTimeoutMs = 5000;

std::optional<std::string> outputOf(const std::string& program, const QStringList& arguments) {
    QProcess process;
    process.setStandardErrorFile(QProcess::nullDevice());
    process.start(QString::fromStdString(program), arguments, QIODevice::ReadOnly);
    if (!process.waitForFinished(programTimeoutMs) || process.exitStatus() != QProcess::NormalExit ||
        process.exitCode() != 0) {
        process.kill();
        process.waitForFinished(programTimeoutMs);
        return std::nullopt;
    }
    return process.readAllStandardOutput().trimmed().toStdString();
}

bool isProgram(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

// Directories that match PREFIX*SUFFIX, where '*' stands for one part or its end.
void addMatching(const fs::path& parent, std::string_view begin, const fs::path& below,
                 std::vector<fs::path>& into) {
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().filename().string().starts_with(begin))
            into.push_back(entry->path() / below);
}

std::vector<fs::path> usualPlaces() {
    std::vector<fs::path> places;
    if (const QString config = QStandardPaths::findExecutable("pg_config"); !config.isEmpty())
        if (const auto directory = outputOf(config.toStdString(), {"--bindir"}))
            places.emplace_back(*directory);
    addMatching("/usr/lib/postgresql", "", "bin", places); // Debian, Ubuntu
    addMatching("/usr", "pgsql-", "bin", places);          // PGDG on Fedora and RHEL
    addMatching("/usr/lib", "postgresql", "bin", places);  // openSUSE, Gentoo
    addMatching("/usr/libexec", "postgresql", "", places); // Alpine
    addMatching("/usr/local", "pgsql", "bin", places);     // an own build
    places.emplace_back("/usr/bin");                       // Fedora, Arch
    return places;
}

std::string packagesFor(int major) {
    return fmt::format("install the package postgresql-{0} (Debian, Ubuntu), postgresql{0}-server (Fedora, "
                       "openSUSE), or name the directory of its programs with --pg-bin",
                       major);
}

} // namespace

Result<Installation> parseVersion(std::string_view printed, std::string binDirectory) {
    constexpr std::string_view lead = "postgres (PostgreSQL) ";
    if (!printed.starts_with(lead))
        return makeError(ErrorKind::Unsupported, "\"{}\" is no version of PostgreSQL", printed);
    const std::string_view rest = printed.substr(lead.size());
    const std::string_view version = rest.substr(0, rest.find_first_of(" \n"));
    int major = 0;
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), major);
    if (error != std::errc() || major < 10)
        return makeError(ErrorKind::Unsupported, "PostgreSQL \"{}\" is too old or no version at all",
                         version);
    return Installation{std::move(binDirectory), std::string(version), major};
}

Result<Installation> installationIn(const std::string& directory) {
    for (const fs::path& candidate : {fs::path(directory), fs::path(directory) / "bin"}) {
        if (!isProgram(candidate / "postgres"))
            continue;
        if (!isProgram(candidate / "initdb"))
            return makeError(ErrorKind::Unsupported, "{} holds postgres but not initdb", candidate.string());
        std::error_code error;
        // Debian keeps a link in /usr/bin: the server looks for its files beside where it really is
        const fs::path real = fs::canonical(candidate / "postgres", error).parent_path();
        const fs::path bin = !error && isProgram(real / "initdb") ? real : candidate;
        const auto printed = outputOf((bin / "postgres").string(), {"--version"});
        if (!printed)
            return makeError(ErrorKind::Unsupported, "{}/postgres --version failed", bin.string());
        return parseVersion(*printed, bin.string());
    }
    return makeError(ErrorKind::NotFound, "{} holds no PostgreSQL server (no program named postgres)",
                     directory);
}

std::vector<Installation> findInstallations(const std::string& preferred) {
    std::vector<Installation> found;
    const auto add = [&found](const fs::path& directory) {
        auto installation = installationIn(directory.string());
        if (installation &&
            std::ranges::find(found, installation->binDirectory, &Installation::binDirectory) == found.end())
            found.push_back(*std::move(installation));
    };
    if (!preferred.empty())
        add(preferred);
    const auto own = static_cast<std::ptrdiff_t>(found.size());
    for (const fs::path& place : usualPlaces())
        add(place);
    std::stable_sort(found.begin() + own, found.end(),
                     [](const Installation& left, const Installation& right) {
                         return left.major != right.major ? left.major > right.major
                                : left.version.size() != right.version.size()
                                    ? left.version.size() > right.version.size() // 15.20 before 15.4
                                    : left.version > right.version;
                     });
    return found;
}

Result<Installation> pickInstallation(std::span<const Installation> found, int major) {
    if (major != 0 && (major < oldestMajor || major > newestMajor))
        return makeError(ErrorKind::Unsupported, "PostgreSQL {} is not supported; {} to {} are", major,
                         oldestMajor, newestMajor);
    for (const Installation& installation : found)
        if (major != 0 ? installation.major == major
                       : installation.major >= oldestMajor && installation.major <= newestMajor)
            return installation;
    if (found.empty())
        return makeError(ErrorKind::NotFound, "no PostgreSQL server was found on this machine; {}",
                         packagesFor(major != 0 ? major : newestMajor));
    std::string names;
    for (const Installation& installation : found)
        names += fmt::format("{}{} in {}", names.empty() ? "" : ", ", installation.version,
                             installation.binDirectory);
    if (major == 0)
        return makeError(ErrorKind::Unsupported,
                         "only PostgreSQL {} was found, and {} to {} are supported; {}", names, oldestMajor,
                         newestMajor, packagesFor(newestMajor));
    return makeError(
        ErrorKind::NotFound,
        "this root was made by PostgreSQL {} and only a server of that major version can open it; found "
        "{}; {}",
        major, names, packagesFor(major));
}

} // namespace arbor

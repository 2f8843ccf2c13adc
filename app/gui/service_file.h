// PGSERVICEFILE: a service a branch, so that `psql service=BRANCH` works from every program that uses libpq;
// and a passfile for connections over TCP.
#pragma once

#include "storage/base/status.h"

#include <QString>

#include <vector>

namespace arbor {

struct ServiceEntry {
    QString name; // the branch
    QString host; // socket directory
    int port = 0;
    QString user = QStringLiteral("postgres");
    QString database = QStringLiteral("postgres");
};

// The files' content. Values that libpq could not read back (line feeds, brackets in a name) are left out.
QByteArray serviceFileText(const std::vector<ServiceEntry>& entries);
// host:port:*:user:password, with libpq's escapes.
QByteArray passfileLine(const QString& host, int port, const QString& user, const QString& password);

// Replaces the file in one step; mode 0600, its directory made 0700.
Status writePrivateFile(const QString& path, const QByteArray& content);

} // namespace arbor

#include "app/gui/service_file.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>

namespace arbor {

QByteArray serviceFileText(const std::vector<ServiceEntry>& entries) {
    QByteArray text = "# Written by PgArbor. PGSERVICEFILE=this file, then: psql service=BRANCH\n";
    for (const ServiceEntry& entry : entries) {
        if (entry.host.isEmpty() || entry.port == 0 || entry.name.contains(u'\n') ||
            entry.name.contains(u']') || entry.host.contains(u'\n'))
            continue;
        text += "\n[" + entry.name.toUtf8() + "]\nhost=" + entry.host.toUtf8() +
                "\nport=" + QByteArray::number(entry.port) + "\nuser=" + entry.user.toUtf8() +
                "\ndbname=" + entry.database.toUtf8() + "\n";
    }
    return text;
}

QByteArray passfileLine(const QString& host, int port, const QString& user, const QString& password) {
    const auto escaped = [](QString field) {
        return field.replace(u'\\', QLatin1String("\\\\")).replace(u':', QLatin1String("\\:")).toUtf8();
    };
    return escaped(host) + ':' + QByteArray::number(port) + ":*:" + escaped(user) + ':' + escaped(password) +
           '\n';
}

Status writePrivateFile(const QString& path, const QByteArray& content) {
    const QString directory = QFileInfo(path).path();
    if (!QDir(directory).exists()) {
        if (!QDir().mkpath(directory))
            return makeError(ErrorKind::Io, "{} cannot be made", directory.toStdString());
        QFile::setPermissions(directory, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    }
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || !file.setPermissions(QFile::ReadOwner | QFile::WriteOwner) ||
        file.write(content) != content.size() || !file.commit())
        return makeError(ErrorKind::Io, "{} cannot be written: {}", path.toStdString(),
                         file.errorString().toStdString());
    return {};
}

} // namespace arbor

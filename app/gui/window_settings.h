// What the window remembers of itself, and of a store only what was seen of it.
#pragma once

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QUrl>
#include <QVariant>

namespace arbor {

class WindowSettings {
  public:
    QString terminal() const { return m_settings.value(QStringLiteral("terminal")).toString(); }
    void setTerminal(const QString& value) { m_settings.setValue(QStringLiteral("terminal"), value); }
    QString appearance() const {
        return m_settings.value(QStringLiteral("appearance"), QStringLiteral("desktop")).toString();
    }
    void setAppearance(const QString& value) { m_settings.setValue(QStringLiteral("appearance"), value); }
    bool axisIsTime() const {
        return m_settings.value(QStringLiteral("axis")).toString() == QLatin1String("time");
    }
    void setAxisIsTime(bool time) {
        m_settings.setValue(QStringLiteral("axis"), time ? QStringLiteral("time") : QStringLiteral("lsn"));
    }
    QString lastStore() const { return m_settings.value(QStringLiteral("lastStore")).toString(); }
    void setLastStore(const QString& value) { m_settings.setValue(QStringLiteral("lastStore"), value); }
    QByteArray bytes(const QString& key) const { return m_settings.value(key).toByteArray(); }
    void setBytes(const QString& key, const QByteArray& value) { m_settings.setValue(key, value); }

    QVariant ofStore(const QString& store, const QString& key) const {
        return m_settings.value(storeKey(store, key));
    }
    void setOfStore(const QString& store, const QString& key, const QVariant& value) {
        m_settings.setValue(storeKey(store, key), value);
    }

  private:
    static QString storeKey(const QString& store, const QString& key) {
        return QStringLiteral("stores/%1/%2").arg(QString::fromLatin1(QUrl::toPercentEncoding(store)), key);
    }

    QSettings m_settings{QStringLiteral("pgarbor"), QStringLiteral("pgarbor")};
};

} // namespace arbor

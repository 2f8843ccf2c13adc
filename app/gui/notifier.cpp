#include "app/gui/notifier.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCall>
#include <QVariantMap>

namespace arbor {

void notifyDesktop(const QString& title, const QString& text) {
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    QDBusMessage call = QDBusMessage::createMethodCall(
        QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("/org/freedesktop/Notifications"),
        QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("Notify"));
    const QString id = QStringLiteral("org.pgarbor.PgArbor");
    call.setArguments({QStringLiteral("PgArbor"), 0u, id, title, text.toHtmlEscaped(), QStringList(),
                       QVariantMap{{QStringLiteral("desktop-entry"), id}}, -1});
    bus.asyncCall(call, 5000);
}

} // namespace arbor

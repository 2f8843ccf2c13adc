#include "app/gui/single_instance.h"

#include <QLocalSocket>

namespace arbor {

namespace {
constexpr int instancePatienceMs = 2000;
}

SingleInstance::SingleInstance(QString path, QObject* parent) : QObject(parent), m_path(std::move(path)) {
    m_server.setSocketOptions(QLocalServer::UserAccessOption);
    connect(&m_server, &QLocalServer::newConnection, this, [this] {
        while (QLocalSocket* peer = m_server.nextPendingConnection()) {
            peer->write("raised\n");
            connect(peer, &QLocalSocket::disconnected, peer, &QObject::deleteLater);
            peer->disconnectFromServer();
            Q_EMIT raiseAsked();
        }
    });
}

bool SingleInstance::raiseOther() {
    QLocalSocket socket;
    socket.connectToServer(m_path);
    return socket.waitForConnected(instancePatienceMs) && socket.waitForReadyRead(instancePatienceMs) &&
           socket.readAll().startsWith("raised");
}

bool SingleInstance::listen() {
    QLocalServer::removeServer(m_path); // left behind by one that died: nobody answered
    return m_server.listen(m_path);
}

} // namespace arbor

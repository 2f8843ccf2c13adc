// One window a store: a second start raises the first.
#pragma once

#include <QLocalServer>
#include <QObject>

#include <memory>

namespace arbor {

class SingleInstance : public QObject {
    Q_OBJECT
  public:
    // `path`: a socket in a directory that only this user may enter.
    explicit SingleInstance(QString path, QObject* parent = nullptr);

    // Another instance was there and has been asked to come to the front: this one should end.
    bool raiseOther();
    // From now on others find us.
    bool listen();

  Q_SIGNALS:
    void raiseAsked();

  private:
    QString m_path;
    QLocalServer m_server;
};

} // namespace arbor

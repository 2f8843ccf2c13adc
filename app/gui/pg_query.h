// One question to a PostgreSQL, asynchronously: connect, ask, take the rows, disconnect. Never blocks the
// window.
#pragma once

#include "storage/base/status.h"

#include <QList>
#include <QObject>
#include <QSocketNotifier>
#include <QStringList>
#include <QTimer>

#include <functional>
#include <memory>

struct pg_conn;

namespace arbor {

// Lives in a thread with an event loop and deletes itself after it has answered once, unless it was destroyed
// before.
class PgQuery : public QObject {
    Q_OBJECT
  public:
    using Rows = QList<QStringList>;
    using Callback = std::function<void(Result<Rows>)>;

    struct Target {
        QString host; // a socket directory or an address
        int port = 0;
        QString database;
        QString user = QStringLiteral("postgres");
    };
    PgQuery(const Target& target, const QString& sql, QObject* context, Callback callback);
    ~PgQuery() override;

  private:
    void poll();
    void readable();
    void finish(Result<Rows> result);
    void watch(bool forWriting);
    Error lastError() const;

    pg_conn* m_connection = nullptr;
    QString m_sql;
    Callback m_callback;
    bool m_asked = false;
    Rows m_rows;
    int m_descriptor = -1; // may change while connecting
    std::unique_ptr<QSocketNotifier> m_notifier;
    QTimer m_patience;
};

} // namespace arbor

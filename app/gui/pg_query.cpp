#include "app/gui/pg_query.h"

#include <libpq-fe.h>

#include <array>

namespace arbor {

namespace {
constexpr int answerPatienceMs = 30'000;
}

PgQuery::PgQuery(const Target& target, const QString& sql, QObject* context, Callback callback)
    : QObject(context), m_sql(sql), m_callback(std::move(callback)) {
    const QByteArray host = target.host.toUtf8(), port = QByteArray::number(target.port),
                     database = target.database.toUtf8(), user = target.user.toUtf8();
    const std::array<const char*, 7> keys{"host",    "port", "dbname", "user", "application_name",
                                          "options", nullptr};
    const std::array<const char*, 7> values{host.constData(), port.constData(), database.constData(),
                                            user.constData(), "pgarbor",        "-c statement_timeout=20s",
                                            nullptr};
    m_connection = PQconnectStartParams(keys.data(), values.data(), 0);
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, [this] {
        finish(makeError(ErrorKind::Unreachable, "PostgreSQL has not answered for {} s",
                         answerPatienceMs / 1000));
    });
    m_patience.start(answerPatienceMs);
    QMetaObject::invokeMethod(this, &PgQuery::poll, Qt::QueuedConnection);
}

PgQuery::~PgQuery() {
    m_notifier.reset();
    PQfinish(m_connection);
}

Error PgQuery::lastError() const {
    return {ErrorKind::Io, QString::fromUtf8(PQerrorMessage(m_connection)).trimmed().toStdString()};
}

void PgQuery::finish(Result<Rows> result) {
    m_notifier.reset();
    m_patience.stop();
    if (const auto callback = std::exchange(m_callback, {}))
        callback(std::move(result));
    deleteLater();
}

void PgQuery::watch(bool forWriting) {
    const auto kind = forWriting ? QSocketNotifier::Write : QSocketNotifier::Read;
    const int descriptor = PQsocket(m_connection);
    if (m_notifier && m_descriptor == descriptor && m_notifier->type() == kind)
        return;
    if (m_notifier) {
        m_notifier->setEnabled(false);
        m_notifier.release()->deleteLater(); // it may be what calls us
    }
    m_descriptor = descriptor;
    m_notifier = std::make_unique<QSocketNotifier>(descriptor, kind);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] {
        if (m_asked)
            readable();
        else
            poll();
    });
}

void PgQuery::poll() {
    if (!m_callback)
        return;
    if (!m_connection || PQstatus(m_connection) == CONNECTION_BAD) {
        finish(lastError());
        return;
    }
    switch (PQconnectPoll(m_connection)) {
    case PGRES_POLLING_READING:
        watch(false);
        return;
    case PGRES_POLLING_WRITING:
        watch(true);
        return;
    case PGRES_POLLING_OK:
        m_asked = true;
        if (PQsendQuery(m_connection, m_sql.toUtf8().constData()) == 0) // a short text: one write
            finish(lastError());
        else
            watch(false);
        return;
    default:
        finish(lastError());
    }
}

void PgQuery::readable() {
    if (PQconsumeInput(m_connection) == 0) {
        finish(lastError());
        return;
    }
    while (PQisBusy(m_connection) == 0) {
        const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQgetResult(m_connection), &PQclear);
        if (!result) {
            finish(std::move(m_rows));
            return;
        }
        if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
            finish(lastError());
            return;
        }
        for (int row = 0; row < PQntuples(result.get()); ++row) {
            QStringList fields;
            for (int column = 0; column < PQnfields(result.get()); ++column)
                fields += QString::fromUtf8(PQgetvalue(result.get(), row, column));
            m_rows.append(fields);
        }
    }
}

} // namespace arbor

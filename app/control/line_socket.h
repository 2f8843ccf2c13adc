// A connected Unix socket that carries lines, for both ends of the control protocol.
#pragma once

#include "app/control/limits.h"

#include <QByteArray>
#include <QObject>
#include <QSocketNotifier>

#include <memory>

namespace arbor {

// Owns the descriptor. Lives in one thread with an event loop. Never blocks and never raises SIGPIPE.
//
// Invariants
// 1. The input buffer never grows past the longest line allowed plus one read: a peer that sends a gigabyte
// without
//    a line feed costs one buffer and is cut off.
// 2. Nothing is read while more than maxResponseBytes/8 wait to be sent: a peer that asks without reading its
//    answers is held back by its own socket.
// 3. closed() is emitted once, and nothing after it.
class LineSocket : public QObject {
    Q_OBJECT
  public:
    LineSocket(int descriptor, qsizetype longestLine, QObject* parent = nullptr);
    ~LineSocket() override;
    LineSocket(const LineSocket&) = delete;
    LineSocket& operator=(const LineSocket&) = delete;

    // Queues the line and a line feed; the line itself must hold none.
    void send(const QByteArray& line);
    // Sends what is queued, reads no more, then closes.
    void closeAfterSending();
    void close();

    bool isOpen() const { return m_descriptor >= 0; }
    qsizetype unsentBytes() const { return m_out.size() - m_sent; }
    void setLongestLine(qsizetype bytes) { m_longestLine = bytes; }
    int descriptor() const { return m_descriptor; }

  signals:
    void lineReceived(const QByteArray& line); // without its line feed
    void lineTooLong();
    void closed();

  private:
    void readSome();
    void takeLines();
    void sendSome();
    void updateNotifiers();

    int m_descriptor;
    qsizetype m_longestLine;
    QByteArray m_in;
    qsizetype m_start = 0;   // of the first line not yet given out
    qsizetype m_scanned = 0; // m_in holds no line feed from m_start to here
    QByteArray m_out;
    qsizetype m_sent = 0;
    bool m_closing = false;
    std::unique_ptr<QSocketNotifier> m_readable;
    std::unique_ptr<QSocketNotifier> m_writable;
};

} // namespace arbor

// What a person can have done with the store: each function sends one request, says what was done in the
// message bar with an Undo, and says what failed.
#pragma once

#include "app/gui/store_session.h"
#include "app/gui/terminal.h"

#include <QObject>

namespace arbor {

class MessageBar;

class StoreCommands : public QObject {
    Q_OBJECT
  public:
    StoreCommands(StoreSession& session, MessageBar& messages, QObject* parent = nullptr);

    // Called with what went wrong, or with "" when it is done. Without one the message bar says it.
    using Ended = std::function<void(const QString& problem)>;
    void createBranch(const QString& name, const QString& parent, const QString& at, const QString& expires,
                      const Ended& ended);
    void createCheckpoint(const QString& name, const QString& branch, const QString& at, const Ended& ended);
    void deleteCheckpoint(const QString& name, const QString& branch);
    void rename(const QString& name, const QString& newName);
    void remove(const QString& name);
    void restore(const QString& name, const QString& at);
    void reset(const QString& name);
    void setProtected(const QString& name, bool isProtected);
    // By the name that the engine gives the rule.
    void setAllowed(const QString& name, const QString& rule, bool allow);
    void setExpiry(const QString& name, const QString& after); // "7d" or "never"
    void restoreFromTrash(const QString& name);
    void start(const QString& name);
    void stop(const QString& name);
    void restart(const QString& name);
    void undo(std::int64_t operation = 0); // 0: the last one
    void redo();
    void setSetting(const QString& key, const QString& value);
    void scrub();
    void cancelJob(std::int64_t job);

    // psql in the person's terminal: on the branch, or with a position as a peek.
    void openPsql(const QString& name, const QString& at = {});
    // The argument vector of pgarborctl that does it, for a terminal or the clipboard.
    QStringList psqlCommand(const QString& name, const QString& at) const;
    void copyUrl(const QString& name, bool tcp);
    void copyEnvironment(const QString& name);
    // Writes the service file and copies how to use it.
    void copyService(const QString& name);
    static void copyText(const QString& text);

    // The setting for the terminal; tests hand in their own environment.
    void setTerminalSearch(TerminalSearch search) { m_terminal = std::move(search); }
    MessageBar& messages() { return m_messages; }

  Q_SIGNALS:
    // A branch that this window made: it wants to be selected.
    void branchMade(const QString& name);

  private:
    void ask(const QString& method, const QJsonObject& params, const Ended& ended,
             std::function<void(const QJsonObject&)> then);
    void done(const QString& text); // with Undo
    void say(const QString& text);  // without
    void problem(const QString& text);
    QString servicePath() const;

    StoreSession& m_session;
    MessageBar& m_messages;
    TerminalSearch m_terminal;
};

} // namespace arbor

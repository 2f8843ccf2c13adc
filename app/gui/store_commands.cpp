#include "app/gui/store_commands.h"

#include "app/control/methods.h"
#include "app/gui/message_bar.h"
#include "app/gui/outside_menu.h"
#include "app/gui/picture_json.h"
#include "app/gui/service_file.h"
#include "widgets/models/format.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QCryptographicHash>
#include <QFileInfo>
#include <QGuiApplication>
#include <QJsonArray>
#include <QProcess>
#include <QStandardPaths>

namespace arbor {

StoreCommands::StoreCommands(StoreSession& session, MessageBar& messages, QObject* parent)
    : QObject(parent), m_session(session), m_messages(messages) {
    m_terminal.environment = qEnvironmentVariable("TERMINAL");
    connect(&session, &StoreSession::failed, this, [this](const QString& what, const QString& message) {
        problem(tr("%1: %2").arg(what, message));
    });
}

void StoreCommands::done(const QString& text) {
    m_messages.show(MessageBar::Kind::Done, text, tr("Undo"), [this] { undo(); });
}
void StoreCommands::say(const QString& text) {
    m_messages.show(MessageBar::Kind::Done, text);
}
void StoreCommands::problem(const QString& text) {
    m_messages.show(MessageBar::Kind::Problem, text);
}

// --- Branches

void StoreCommands::ask(const QString& method, const QJsonObject& params, const Ended& ended,
                        std::function<void(const QJsonObject&)> then) {
    m_session.request(
        method, params, this, [this, ended, then = std::move(then)](const Result<QJsonValue>& result) {
            const QString fault = result ? QString() : QString::fromStdString(result.error().message());
            ended(fault);
            if (!result)
                return;
            then(result->toObject());
            m_session.refresh(StoreSession::Parts(StoreSession::Branches) | StoreSession::Checkpoints |
                              StoreSession::Operations);
        });
}

void StoreCommands::createBranch(const QString& name, const QString& parent, const QString& at,
                                 const QString& expires, const Ended& ended) {
    QJsonObject params{{"name", name}, {"from", parent}};
    if (!at.isEmpty())
        params["at"] = at;
    if (!expires.isEmpty())
        params["expires"] = expires;
    ask(method::branchCreate, params, ended, [this, name, parent](const QJsonObject& made) {
        const QString message = made["message"].toString();
        done(message.isEmpty() ? tr("Branch %1 made from %2").arg(name, parent)
                               : tr("Branch %1 made from %2: %3").arg(name, parent, message));
        Q_EMIT branchMade(name);
    });
}

void StoreCommands::createCheckpoint(const QString& name, const QString& branch, const QString& at,
                                     const Ended& ended) {
    QJsonObject params{{"name", name}, {"branch", branch}};
    if (!at.isEmpty())
        params["at"] = at;
    ask(method::checkpointCreate, params, ended,
        [=, this](const QJsonObject&) { done(tr("Checkpoint %1 made on %2").arg(name, branch)); });
}

void StoreCommands::deleteCheckpoint(const QString& name, const QString& branch) {
    m_session.perform(tr("Checkpoint %1 was not deleted").arg(name), method::checkpointDelete,
                      {{"name", name}, {"branch", branch}}, [=, this](const QJsonObject&) {
                          done(tr("Checkpoint %1 of %2 deleted").arg(name, branch));
                      });
}

void StoreCommands::rename(const QString& name, const QString& newName) {
    if (name == newName || newName.isEmpty())
        return;
    m_session.perform(tr("%1 was not renamed").arg(name), method::branchRename,
                      {{"name", name}, {"newName", newName}},
                      [=, this](const QJsonObject&) { done(tr("%1 renamed to %2").arg(name, newName)); });
}

void StoreCommands::remove(const QString& name) {
    m_session.perform(tr("%1 was not deleted").arg(name), method::branchDelete, {{"name", name}},
                      [=, this](const QJsonObject&) { done(tr("%1 is in the trash").arg(name)); });
}

void StoreCommands::restore(const QString& name, const QString& at) {
    m_session.perform(tr("%1 was not restored").arg(name), method::branchRestore,
                      {{"name", name}, {"at", at}}, [=, this](const QJsonObject& answer) {
                          const QString message = answer["message"].toString();
                          done(message.isEmpty() ? tr("%1 restored to %2").arg(name, at)
                                                 : tr("%1 restored to %2: %3").arg(name, at, message));
                      });
}

void StoreCommands::reset(const QString& name) {
    m_session.perform(
        tr("%1 was not reset").arg(name), method::branchReset, {{"name", name}},
        [=, this](const QJsonObject&) { done(tr("%1 reset to the head of its parent").arg(name)); });
}

void StoreCommands::setProtected(const QString& name, bool isProtected) {
    m_session.perform(tr("The protection of %1 was not changed").arg(name),
                      isProtected ? method::branchProtect : method::branchUnprotect, {{"name", name}},
                      [=, this](const QJsonObject&) {
                          done(isProtected ? tr("%1 is protected").arg(name)
                                           : tr("%1 is not protected").arg(name));
                      });
}

void StoreCommands::setAllowed(const QString& name, const QString& rule, bool allow) {
    m_session.perform(
        tr("What %1 may do was not changed").arg(name), allow ? method::branchAllow : method::branchForbid,
        {{"name", name}, {"rules", QJsonArray{rule}}}, [=, this](const QJsonObject&) {
            const QString what = OutsideMenu::text({rule});
            done(allow ? tr("%1 may %2, from the next start of its server on").arg(name, what)
                       : tr("%1 may no longer %2, from the next start of its server on").arg(name, what));
        });
}

void StoreCommands::setExpiry(const QString& name, const QString& after) {
    m_session.perform(tr("The expiry of %1 was not changed").arg(name), method::branchExpire,
                      {{"name", name}, {"after", after}}, [=, this](const QJsonObject& branch) {
                          const Timestamp at = timeFromJson(branch["expiresAt"]);
                          done(at ? tr("%1 expires %2").arg(name, timeDisplay(at))
                                  : tr("%1 never expires").arg(name));
                      });
}

void StoreCommands::restoreFromTrash(const QString& name) {
    m_session.perform(tr("%1 was not brought back").arg(name), method::trashRestore, {{"name", name}},
                      [=, this](const QJsonObject& branch) {
                          done(tr("%1 is back from the trash").arg(branch["name"].toString()));
                          Q_EMIT branchMade(branch["name"].toString());
                      });
}

// --- Endpoints

void StoreCommands::start(const QString& name) {
    m_session.perform(tr("%1 was not started").arg(name), method::endpointStart, {{"name", name}});
}
void StoreCommands::stop(const QString& name) {
    m_session.perform(tr("%1 was not stopped").arg(name), method::endpointStop, {{"name", name}});
}
void StoreCommands::restart(const QString& name) {
    m_session.perform(tr("%1 was not restarted").arg(name), method::endpointRestart, {{"name", name}});
}

// --- The store

namespace {

// What was taken back or made again; the text of an undo says "undo" besides.
QString subjectOf(const QJsonObject& answer) {
    const QJsonObject operation = answer["operation"].toObject();
    return operation["of"].toString(operation["text"].toString());
}

} // namespace

void StoreCommands::undo(std::int64_t operation) {
    QJsonObject params;
    if (operation != 0)
        params["id"] = static_cast<qint64>(operation);
    m_session.perform(tr("Nothing was undone"), method::oplogUndo, params, [this](const QJsonObject& answer) {
        m_messages.show(MessageBar::Kind::Done, tr("Undone: %1").arg(subjectOf(answer)), tr("Redo"),
                        [this] { redo(); });
    });
}

void StoreCommands::redo() {
    m_session.perform(tr("Nothing was redone"), method::oplogRedo, {},
                      [this](const QJsonObject& answer) { done(tr("Redone: %1").arg(subjectOf(answer))); });
}

void StoreCommands::setSetting(const QString& key, const QString& value) {
    m_session.perform(tr("The setting %1 was not changed").arg(key), method::settingsSet,
                      {{"key", key}, {"value", value}},
                      [=, this](const QJsonObject&) { done(tr("%1 is now %2").arg(key, value)); });
}

void StoreCommands::scrub() {
    m_session.perform(tr("The store was not found whole"), method::scrub, {},
                      [this](const QJsonObject& answer) {
                          if (const QJsonArray problems = answer["problems"].toArray(); !problems.isEmpty())
                              return m_session.failed(tr("The store was not found whole"),
                                                      tr("The first of %1: %2")
                                                          .arg(answer["problemCount"].toInteger())
                                                          .arg(problems.first().toString()));
                          say(tr("Everything is whole: %1 checked")
                                  .arg(bytesDisplay(bytesFromJson(answer["checkedBytes"]))));
                      });
}

void StoreCommands::cancelJob(std::int64_t job) {
    m_session.perform(tr("The job was not cancelled"), method::jobCancel, {{"id", static_cast<qint64>(job)}});
}

// --- Connecting

QStringList StoreCommands::psqlCommand(const QString& name, const QString& at) const {
    QString program = QCoreApplication::applicationDirPath() + QStringLiteral("/pgarborctl");
    if (!QFileInfo(program).isExecutable())
        program = QStringLiteral("pgarborctl");
    QStringList command{program, QStringLiteral("--store"), m_session.store(), QStringLiteral("psql"), name};
    if (!at.isEmpty())
        command << QStringLiteral("--at") << at;
    return command;
}

void StoreCommands::openPsql(const QString& name, const QString& at) {
    const QStringList command = psqlCommand(name, at);
    const auto inTerminal = commandInTerminal(m_terminal, command);
    if (inTerminal && QProcess::startDetached(inTerminal->first(), inTerminal->mid(1))) {
        say(at.isEmpty() ? tr("psql on %1 opens in your terminal").arg(name)
                         : tr("psql peeks at %1 at %2 in your terminal; the peek is gone when you leave it")
                               .arg(name, at));
        return;
    }
    const QString text = shellText(command);
    m_messages.show(
        MessageBar::Kind::Problem,
        inTerminal
            ? tr("The terminal %1 could not be started. Run this in one:  %2").arg(inTerminal->first(), text)
            : tr("No terminal was found (Preferences names one). Run this in one:  %1").arg(text),
        tr("Copy command"), [text] { copyText(text); });
}

void StoreCommands::copyText(const QString& text) {
    QGuiApplication::clipboard()->setText(text);
}

void StoreCommands::copyUrl(const QString& name, bool tcp) {
    m_session.perform(tr("The URL of %1 is not known").arg(name), method::endpointConnection,
                      {{"name", name}, {"tcp", tcp}}, [=, this](const QJsonObject& answer) {
                          copyText(answer["url"].toString());
                          say(tcp ? tr("URL of %1 copied, with its password").arg(name)
                                  : tr("URL of %1 copied").arg(name));
                      });
}

void StoreCommands::copyEnvironment(const QString& name) {
    m_session.perform(tr("How to connect to %1 is not known").arg(name), method::endpointConnection,
                      {{"name", name}}, [=, this](const QJsonObject& answer) {
                          const QJsonObject variables = answer["env"].toObject();
                          QStringList lines;
                          for (auto variable = variables.begin(); variable != variables.end(); ++variable)
                              lines += QStringLiteral("export %1=%2")
                                           .arg(variable.key(), shellText({variable.value().toString()}));
                          copyText(lines.join(u'\n'));
                          say(tr("Environment of %1 copied").arg(name));
                      });
}

// One file a store, since branches of two stores may have one name.
QString StoreCommands::servicePath() const {
    const QByteArray hash = QCryptographicHash::hash(m_session.store().toUtf8(), QCryptographicHash::Sha256);
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) +
           QStringLiteral("/pgarbor/%1/pg_service.conf").arg(QString::fromLatin1(hash.toHex().left(8)));
}

void StoreCommands::copyService(const QString& name) {
    m_session.perform(
        tr("How to connect to %1 is not known").arg(name), method::endpointConnection,
        {{"name", name}, {"tcp", true}}, [=, this](const QJsonObject& tcp) {
            m_session.perform(
                tr("The branches are not known"), method::branchList, {},
                [=, this](const QJsonObject& answer) {
                    std::vector<ServiceEntry> entries;
                    for (const QJsonValue& value : answer["branches"].toArray()) {
                        const QJsonObject branch = value.toObject();
                        entries.push_back({branch["name"].toString(), branch["socketDir"].toString(),
                                           branch["port"].toInt()});
                    }
                    const QString path = servicePath();
                    const QString passfile = QFileInfo(path).path() + QStringLiteral("/passfile");
                    Status written = writePrivateFile(path, serviceFileText(entries));
                    if (written)
                        written = writePrivateFile(
                            passfile, passfileLine(QStringLiteral("127.0.0.1"), tcp["port"].toInt(),
                                                   tcp["user"].toString(), tcp["password"].toString()));
                    if (!written) {
                        problem(QString::fromStdString(written.error().message()));
                        return;
                    }
                    copyText(QStringLiteral("PGSERVICEFILE=%1 psql %2")
                                 .arg(shellText({path}), shellText({QStringLiteral("service=") + name})));
                    say(tr("Service file written; a command that uses it is copied"));
                });
        });
}

} // namespace arbor

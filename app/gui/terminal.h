// Finding the person's terminal and running a command in it.
#pragma once

#include <QString>
#include <QStringList>

#include <functional>
#include <optional>

namespace arbor {

struct TerminalSearch {
    QString setting;     // what the person chose in the preferences: a program and its options
    QString environment; // $TERMINAL
    // A program's full path, or empty. Default: $PATH.
    std::function<QString(const QString& program)> find;
};

// The whole argument vector that runs `command` in a terminal: the setting, $TERMINAL, xdg-terminal-exec,
// x-terminal-emulator, then those that we know. Nothing when there is none. Never a shell string: an argument
// with spaces or quotes in it arrives as it is.
std::optional<QStringList> commandInTerminal(const TerminalSearch& search, const QStringList& command);

// A command line that a person can paste into a shell.
QString shellText(const QStringList& command);

} // namespace arbor

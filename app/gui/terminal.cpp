#include "app/gui/terminal.h"

#include <QFileInfo>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>

namespace arbor {

namespace {

// What stands between a terminal's own options and the command.
struct Known {
    const char* program;
    const char* separator; // "": the command follows at once
};
constexpr Known known[] = {
    {"xdg-terminal-exec", ""},
    {"x-terminal-emulator", "-e"},
    {"ptyxis", "--"},
    {"kgx", "--"},
    {"gnome-terminal", "--"},
    {"konsole", "-e"},
    {"foot", ""},
    {"kitty", ""},
    {"alacritty", "-e"},
    {"ghostty", "-e"},
    {"wezterm", "-e"},
    {"xfce4-terminal", "-x"},
    {"mate-terminal", "-x"},
    {"tilix", "-e"},
    {"qterminal", "-e"},
    {"st", "-e"},
    {"urxvt", "-e"},
    {"xterm", "-e"},
};

QString separatorOf(const QString& program) {
    const QString name = QFileInfo(program).fileName();
    for (const Known& terminal : known)
        if (name == QLatin1String(terminal.program))
            return QLatin1String(terminal.separator);
    return QStringLiteral("-e"); // what xterm began and most took over
}

} // namespace

std::optional<QStringList> commandInTerminal(const TerminalSearch& search, const QStringList& command) {
    const auto find = search.find ? search.find : [](const QString& program) {
        return QStandardPaths::findExecutable(program);
    };
    const auto make = [&](const QString& chosen) -> std::optional<QStringList> {
        QStringList words = QProcess::splitCommand(chosen);
        if (words.isEmpty())
            return std::nullopt;
        const QString path = QFileInfo(words[0]).isAbsolute() ? words[0] : find(words[0]);
        if (path.isEmpty() ||
            (QFileInfo(path).isAbsolute() && !QFileInfo(path).isExecutable() && !search.find))
            return std::nullopt;
        const QString separator = separatorOf(words[0]);
        words[0] = path;
        if (!separator.isEmpty() && words.last() != separator)
            words += separator;
        return words + command;
    };
    for (const QString& chosen : {search.setting, search.environment})
        if (const auto found = make(chosen))
            return found;
    for (const Known& terminal : known)
        if (const auto found = make(QLatin1String(terminal.program)))
            return found;
    return std::nullopt;
}

QString shellText(const QStringList& command) {
    static const QRegularExpression plain(QStringLiteral("^[A-Za-z0-9_@%+=:,./-]+$"));
    QStringList words;
    for (QString word : command) {
        if (!plain.match(word).hasMatch())
            word = u'\'' + word.replace(u'\'', QLatin1String("'\\''")) + u'\'';
        words += word;
    }
    return words.join(u' ');
}

} // namespace arbor

#include "app/cli/text.h"

#include "storage/base/time.h"

#include <QDateTime>
#include <QSet>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace arbor {

namespace {

// Columns on a terminal, near enough: one a code point, none for our own colours.
std::size_t widthOf(std::string_view text) {
    std::size_t width = 0;
    bool colour = false; // from an escape to its 'm'; no text of others has one (plainText)
    for (const char c : text) {
        const bool begins = c == '\033';
        if (!colour && !begins && (static_cast<unsigned char>(c) & 0xC0) != 0x80)
            ++width;
        colour = begins || (colour && c != 'm');
    }
    return width;
}

std::string counted(std::int64_t n, std::string_view unit) {
    const bool plural = n != 1 && (unit == "day" || unit == "week");
    return fmt::format("{} {}{}", n, unit, plural ? "s" : "");
}

std::string lengthText(std::int64_t seconds) {
    if (seconds < 60)
        return counted(seconds, "s");
    if (seconds < 3600)
        return counted(seconds / 60, "min");
    if (seconds < 86'400)
        return counted(seconds / 3600, "h");
    return counted(seconds / 86'400, "day");
}

} // namespace

std::string bytesText(const QJsonValue& value) {
    if (!value.isDouble())
        return "-";
    const double bytes = value.toDouble();
    constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
    double number = std::abs(bytes);
    std::size_t unit = 0;
    for (; number >= 1024 && unit + 1 < units.size(); ++unit)
        number /= 1024;
    const char* sign = bytes < 0 ? "-" : "";
    if (unit == 0 || number >= 99.95)
        return fmt::format("{}{:.0f} {}", sign, number, units[unit]);
    return fmt::format("{}{:.1f} {}", sign, number, units[unit]);
}

std::string agoText(const QJsonValue& isoTime, std::int64_t nowMicros) {
    const auto time = Timestamp::parseIso(isoTime.toString().toStdString());
    if (!time)
        return "-";
    const std::int64_t seconds = (nowMicros - time->micros) / 1'000'000;
    return seconds < 0 ? "in " + lengthText(-seconds) : lengthText(seconds) + " ago";
}

std::string timeText(const QJsonValue& isoTime) {
    const auto time = Timestamp::parseIso(isoTime.toString().toStdString());
    if (!time)
        return "-";
    QDateTime local = QDateTime::fromMSecsSinceEpoch(time->micros / 1000);
    local = local.toOffsetFromUtc(local.offsetFromUtc());
    const QString zone =
        local.offsetFromUtc() == 0 ? QStringLiteral("+00:00") : local.toString("t").remove("UTC");
    return (local.toString("yyyy-MM-dd'T'HH:mm:ss") + zone).toStdString();
}

std::string plainText(const QJsonValue& value) {
    if (value.isBool())
        return value.toBool() ? "yes" : "no";
    if (value.isDouble()) {
        const double number = value.toDouble();
        return std::floor(number) == number ? std::to_string(value.toInteger())
                                            : fmt::format("{:.4g}", number);
    }
    if (!value.isString())
        return "-";
    std::string text;
    for (const char c : value.toString().toStdString())
        text += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? fmt::format("\\x{:02x}", c)
                                                                 : std::string(1, c);
    return text;
}

std::string stateText(const QJsonValue& state, bool colour) {
    const std::string text = plainText(state);
    const char* const code = text == "running"                          ? "32"
                             : text == "failed"                         ? "1;31"
                             : text == "starting" || text == "stopping" ? "33"
                                                                        : "2";
    return colour ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
}

std::string Table::toString() const {
    std::vector<std::size_t> widths;
    for (const Column& column : m_columns)
        widths.push_back(column.title.size());
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], widthOf(row[i]));
    std::string text;
    const auto line = [&](const auto& cells) {
        std::string result;
        for (std::size_t i = 0; i < m_columns.size(); ++i) {
            const std::string cell(cells[i]);
            const std::string padding(widths[i] - widthOf(cell), ' ');
            result += i > 0 ? "  " : "";
            result += m_columns[i].align == Align::Right ? padding + cell : cell + padding;
        }
        result.erase(result.find_last_not_of(' ') + 1);
        text += result + "\n";
    };
    std::vector<std::string> titles;
    for (const Column& column : m_columns)
        titles.emplace_back(column.title);
    line(titles);
    for (const auto& row : m_rows)
        line(row);
    return text;
}

namespace {

struct TreeWalk {
    QMap<QString, std::vector<QJsonObject>> children;
    QSet<QString> seen;
    std::vector<TreeLine> lines;
    bool unicode;

    void visit(const QJsonObject& branch, const std::string& indent, bool last, bool root) {
        const QString name = branch.value("name").toString();
        if (seen.contains(name))
            return;
        seen.insert(name);
        const std::string own = root ? "" : indent + (unicode ? (last ? "└─ " : "├─ ") : "  ");
        lines.push_back({branch, own});
        const std::string below = root ? "" : indent + (unicode && !last ? "│  " : unicode ? "   " : "  ");
        const auto list = children.value(name);
        for (std::size_t i = 0; i < list.size(); ++i)
            visit(list[i], below, i + 1 == list.size(), false);
    }
};

} // namespace

std::vector<TreeLine> branchTree(const QJsonArray& branches, bool unicode) {
    TreeWalk walk{{}, {}, {}, unicode};
    QSet<QString> names;
    for (const QJsonValue& value : branches)
        names.insert(value.toObject().value("name").toString());
    for (const QJsonValue& value : branches)
        walk.children[value.toObject().value("parent").toString()].push_back(value.toObject());
    for (const QJsonValue& value : branches)
        if (!names.contains(value.toObject().value("parent").toString()))
            walk.visit(value.toObject(), "", true, true);
    for (const QJsonValue& value : branches) // what a ring kept out
        walk.visit(value.toObject(), "", true, true);
    return walk.lines;
}

std::string objectText(const QJsonObject& object) {
    std::size_t width = 0;
    for (const QString& key : object.keys())
        width = std::max<std::size_t>(width, static_cast<std::size_t>(key.size()) + 1);
    std::string text;
    for (auto member = object.begin(); member != object.end(); ++member) {
        const QJsonValue value = member.value();
        if (value.isObject() || value.isArray() || value.isNull())
            continue;
        const QString key = member.key();
        std::string shown = plainText(value);
        if (key.endsWith("Bytes") || key == "bytes")
            shown = bytesText(value);
        else if (key.endsWith("At") || key.endsWith("Time") || key == "time")
            shown = timeText(value);
        text += fmt::format("{:<{}} {}\n", key.toStdString() + ":", width, shown);
    }
    return text;
}

} // namespace arbor

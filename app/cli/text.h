// Values for people: aligned tables, sizes with units, times with zone.
#pragma once

#include <QJsonArray>
#include <QJsonObject>
#include <QJsonValue>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

// "9.0 GB", "80 MB", "512 B": powers of 1024, as Postgres prints them. Null or absent: "-".
std::string bytesText(const QJsonValue& bytes);
// "2 min ago", "in 3 days"; now is microseconds since 1970. Null or absent: "-".
std::string agoText(const QJsonValue& isoTime, std::int64_t nowMicros);
// "2026-01-31 13:00:00+01:00" in the machine's zone. Null or absent: "-".
std::string timeText(const QJsonValue& isoTime);
// A string, number or truth value as it is. Null or absent: "-". Control characters are escaped: what a
// database or another client wrote must not drive the terminal.
std::string plainText(const QJsonValue& value);

// An endpoint's state in the colour of what it asks of a person; without colour, the text alone.
std::string stateText(const QJsonValue& state, bool colour);

class Table {
  public:
    enum class Align { Left, Right };
    struct Column {
        std::string_view title;
        Align align = Align::Left;
    };
    explicit Table(std::vector<Column> columns) : m_columns(std::move(columns)) {}
    void add(std::vector<std::string> cells) { m_rows.push_back(std::move(cells)); }
    bool empty() const { return m_rows.empty(); }
    // Two spaces between columns, no spaces at the ends of lines.
    std::string toString() const;

  private:
    std::vector<Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
};

// The indentation of each branch in the tree of parents, and the order to print them in.
struct TreeLine {
    QJsonObject branch;
    std::string prefix; // "├─ ", "│  └─ " or spaces
};
// Branches whose parent is not in the list are roots. Siblings keep their order. Every branch appears once,
// even when parents form a ring.
std::vector<TreeLine> branchTree(const QJsonArray& branches, bool unicode);

// "name:  value" lines of an object's plain members, aligned.
std::string objectText(const QJsonObject& object);

} // namespace arbor

// What most commands need.
#pragma once

#include "app/cli/command.h"
#include "app/cli/session.h"
#include "app/cli/text.h"
#include "app/control/methods.h"

#include <QJsonArray>
#include <QJsonObject>

#include <ostream>

namespace arbor::commands {

inline QString toQt(const std::string& text) {
    return QString::fromStdString(text);
}

// {"name": VALUE of NAME, ...} for those that were given: from the name of an option or positional to a
// parameter's.
struct ParamName {
    std::string_view given;
    const char* param;
};
inline QJsonObject paramsOf(const Invocation& invocation, std::initializer_list<ParamName> names) {
    QJsonObject params;
    for (const ParamName& name : names)
        if (invocation.has(name.given))
            params.insert(name.param, toQt(invocation.value(name.given)));
    return params;
}

// Sends, prints the whole result as JSON, or one line for people with {} standing for the result's name.
Result<int> callAndSay(Session& session, const char* method, const QJsonObject& params,
                       const QString& sentence);

// The absolute form of a path that was given relative to our directory: the engine has another.
QString absolutePath(const std::string& path);

} // namespace arbor::commands

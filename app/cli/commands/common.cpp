#include "app/cli/commands/common.h"

#include <filesystem>

namespace arbor::commands {

Result<int> callAndSay(Session& session, const char* method, const QJsonObject& params,
                       const QString& sentence) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method, params));
    session.print(result, [&](std::ostream& out) {
        out << plainText(sentence) << '\n';
        const QString message = result.toObject().value("message").toString();
        if (!message.isEmpty())
            out << plainText(message) << '\n';
        for (const QJsonValue& warning : result.toObject().value("warnings").toArray())
            out << "warning: " << plainText(warning) << '\n';
    });
    return 0;
}

QString absolutePath(const std::string& path) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    return QString::fromStdString(error ? path : absolute.lexically_normal().string());
}

} // namespace arbor::commands

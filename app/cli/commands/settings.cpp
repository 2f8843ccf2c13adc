#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"
#include "app/control/arguments.h"

namespace arbor::commands {

namespace {

Result<int> show(const QJsonValue& result, Session& session) {
    const QJsonObject settings = result.toObject().value("settings").toObject();
    session.print(settings, [&](std::ostream& out) {
        for (auto setting = settings.begin(); setting != settings.end(); ++setting)
            out << setting.key().toStdString() << " = " << plainText(setting.value()) << '\n';
    });
    return 0;
}

Result<int> get(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result,
                 session.call(method::settingsGet, paramsOf(invocation, {{"KEY", "key"}})));
    return show(result, session);
}

Result<int> set(const Invocation& invocation, Session& session) {
    ARBOR_TRY(checkSetting(invocation.value("KEY"), invocation.value("VALUE")));
    ARBOR_ASSIGN(
        const QJsonValue result,
        session.call(method::settingsSet, paramsOf(invocation, {{"KEY", "key"}, {"VALUE", "value"}})));
    return show(result, session);
}
} // namespace

std::vector<Command> settings() {
    return {{"settings get",
             "print a setting, or all",
             {},
             {{"KEY", ValueKind::SettingKey,
               "history-time, history-bytes, trash-time, disk-limit or idle-suspend", false}},
             {},
             get},
            {"settings set",
             "change a setting",
             {},
             {{"KEY", ValueKind::SettingKey,
               "history-time, history-bytes, trash-time, disk-limit or idle-suspend"},
              {"VALUE", ValueKind::Text, "with its unit: 7d, 20GB; 0 is none"}},
             {},
             set}};
}

} // namespace arbor::commands

// settings.*
#include "app/control/arguments.h"
#include "app/control/methods.h"
#include "app/engine/json.h"
#include "storage/base/units.h"

namespace arbor {

namespace {

Result<QJsonValue> getSettings(Service& service, const QJsonObject& params) {
    const std::string key = textOf(params, "key");
    if (!key.empty())
        ARBOR_TRY(checkSettingKey(key));
    return QJsonValue(QJsonObject{{"settings", settingsJson(service, key)}});
}

Result<QJsonValue> setSetting(Service& service, const QJsonObject& params, const RequestContext& context) {
    const std::string key = textOf(params, "key");
    const std::string value = textOf(params, "value");
    ARBOR_TRY(checkSetting(key, value));
    ARBOR_TRY(service.engine().operate(
        callerOf(context, fmt::format("settings set {} {}", key, value)),
        [&](Catalog& catalog, Timestamp) { return catalog.setSetting(key, value); }));
    const QJsonObject changed{{"settings", settingsJson(service, key)}};
    service.server().publish(event::settings, changed);
    return QJsonValue(changed);
}

} // namespace

void registerSettingsMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(method::settingsGet, [&](Params p, Context) { return getSettings(service, p); });
    service.onWorker(method::settingsSet, [&](Params p, Context c) { return setSetting(service, p, c); });
}

} // namespace arbor

#include "app/gui/outside_menu.h"

#include "app/control/arguments.h"

#include <QAction>

namespace arbor {

namespace {

struct Rule {
    const char* name; // one of ruleNames
    const char* text;
};
constexpr Rule rules[std::size(ruleNames)] = {
    {"archiving", QT_TRANSLATE_NOOP("arbor::OutsideMenu", "archive its log")},
    {"walsenders", QT_TRANSLATE_NOOP("arbor::OutsideMenu", "send its log to standbys")},
    {"replication-slots", QT_TRANSLATE_NOOP("arbor::OutsideMenu", "keep its parent's replication slots")},
    {"synchronous-standbys", QT_TRANSLATE_NOOP("arbor::OutsideMenu", "wait for synchronous standbys")},
    {"primary-connection", QT_TRANSLATE_NOOP("arbor::OutsideMenu", "follow its parent's primary")},
    {"logical-workers", QT_TRANSLATE_NOOP("arbor::OutsideMenu", "run its subscriptions")},
    {"scheduled-jobs", QT_TRANSLATE_NOOP("arbor::OutsideMenu", "run scheduled jobs")},
};

} // namespace

OutsideMenu::OutsideMenu(QWidget* parent) : QMenu(tr("&Allow on the outside"), parent) {
    setToolTipsVisible(true);
    menuAction()->setToolTip(
        tr("A fork does nothing of this by itself, so that it does not act as its parent"));
    for (const Rule& rule : rules) {
        QString label = tr(rule.text);
        label[0] = label[0].toUpper();
        QAction* action = addAction(label);
        action->setCheckable(true);
        action->setData(QLatin1String(rule.name));
        connect(action, &QAction::triggered, this,
                [this, action](bool on) { Q_EMIT chosen(action->data().toString(), on); });
    }
}

void OutsideMenu::setBranch(const BranchRow& branch) {
    menuAction()->setEnabled(branch.isFork);
    for (QAction* action : actions())
        action->setChecked(branch.allowed.contains(action->data().toString()));
}

QString OutsideMenu::text(const QStringList& names) {
    QStringList texts;
    for (const Rule& rule : rules)
        if (names.contains(QLatin1String(rule.name)))
            texts += tr(rule.text);
    return texts.join(QStringLiteral(", "));
}

} // namespace arbor

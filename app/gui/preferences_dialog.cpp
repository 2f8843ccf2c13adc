#include "app/gui/preferences_dialog.h"

#include "app/control/arguments.h"
#include "app/gui/window_settings.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGroupBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace arbor {

namespace {

struct SettingText {
    const char* key;
    const char* title;
    const char* hint;
};
const SettingText settingTexts[] = {
    {"history-time", QT_TRANSLATE_NOOP("arbor::PreferencesDialog", "History by time"),
     QT_TRANSLATE_NOOP("arbor::PreferencesDialog",
                       "How far back any position may be forked, as 7d or 12h; 0: no limit")},
    {"history-bytes", QT_TRANSLATE_NOOP("arbor::PreferencesDialog", "History by WAL"),
     QT_TRANSLATE_NOOP("arbor::PreferencesDialog", "How much WAL of a branch is kept, as 20GB; 0: no limit")},
    {"trash-time", QT_TRANSLATE_NOOP("arbor::PreferencesDialog", "Trash"),
     QT_TRANSLATE_NOOP("arbor::PreferencesDialog", "How long what was deleted can be brought back, as 7d")},
    {"disk-limit", QT_TRANSLATE_NOOP("arbor::PreferencesDialog", "Disk limit"),
     QT_TRANSLATE_NOOP("arbor::PreferencesDialog",
                       "How much the store should occupy, as 100GB; 0: no limit")},
    {"idle-suspend", QT_TRANSLATE_NOOP("arbor::PreferencesDialog", "Stop when idle"),
     QT_TRANSLATE_NOOP("arbor::PreferencesDialog",
                       "After how long without use a branch is stopped, as 30min; 0: never")},
};

} // namespace

PreferencesDialog::PreferencesDialog(const QMap<QString, QString>& settings, QWidget* parent)
    : QDialog(parent), m_before(settings), m_terminal(new QLineEdit(this)),
      m_appearance(new QComboBox(this)) {
    setWindowTitle(tr("Preferences"));
    const WindowSettings own;
    m_terminal->setText(own.terminal());
    m_terminal->setPlaceholderText(tr("Found by itself"));
    m_terminal->setToolTip(tr("A program and its options, as: foot --app-id=psql"));
    m_appearance->addItem(tr("As the desktop"), QStringLiteral("desktop"));
    m_appearance->addItem(tr("Light"), QStringLiteral("light"));
    m_appearance->addItem(tr("Dark"), QStringLiteral("dark"));
    m_appearance->setCurrentIndex(std::max(0, m_appearance->findData(own.appearance())));
    auto* window = new QGroupBox(tr("This window"), this);
    auto* windowForm = new QFormLayout(window);
    windowForm->addRow(tr("&Terminal"), m_terminal);
    windowForm->addRow(tr("&Appearance"), m_appearance);
    auto* store = new QGroupBox(tr("The store"), this);
    auto* storeForm = new QFormLayout(store);
    storeForm->setVerticalSpacing(10);
    int label = 0;
    for (const SettingText& setting : settingTexts) {
        auto* field = new QLineEdit(settings.value(QLatin1String(setting.key)), store);
        field->setToolTip(tr(setting.hint));
        field->setAccessibleDescription(tr(setting.hint));
        auto* hint = new QLabel(tr(setting.hint), store);
        hint->setForegroundRole(QPalette::PlaceholderText);
        hint->setWordWrap(true);
        auto* both = new QVBoxLayout;
        both->setSpacing(2);
        both->addWidget(field);
        both->addWidget(hint);
        auto* title = new QLabel(tr(setting.title), store);
        title->setBuddy(field);
        storeForm->addRow(title, both);
        label = std::max(label, title->sizeHint().width());
        m_fields.insert(QLatin1String(setting.key), field);
        connect(field, &QLineEdit::textChanged, this, &PreferencesDialog::checkSettings);
    }
    // one column of fields through both boxes
    for (QWidget* of : {static_cast<QWidget*>(m_terminal), static_cast<QWidget*>(m_appearance)})
        windowForm->labelForField(of)->setMinimumWidth(label);
    store->setEnabled(!settings.isEmpty());
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(window);
    layout->addWidget(store);
    for (QWidget* box : {window, store})
        box->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    layout->addStretch();
    layout->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    resize(560, layout->totalHeightForWidth(560));
}

QString PreferencesDialog::terminal() const {
    return m_terminal->text().trimmed();
}

QString PreferencesDialog::appearance() const {
    return m_appearance->currentData().toString();
}

QMap<QString, QString> PreferencesDialog::changedSettings() const {
    QMap<QString, QString> changed;
    for (auto field = m_fields.begin(); field != m_fields.end(); ++field)
        if (m_before.contains(field.key()) && m_before.value(field.key()) != field.value()->text().trimmed())
            changed.insert(field.key(), field.value()->text().trimmed());
    return changed;
}

// The same rule that the engine has: OK can be pressed when it will take them.
void PreferencesDialog::checkSettings() {
    bool good = true;
    const QMap<QString, QString> changed = changedSettings();
    for (auto field = m_fields.begin(); field != m_fields.end(); ++field) {
        const Status checked =
            changed.contains(field.key())
                ? checkSetting(field.key().toStdString(), changed.value(field.key()).toStdString())
                : Status();
        field.value()->setStyleSheet(checked ? QString()
                                             : QStringLiteral("QLineEdit { border: 1px solid #c0392b; }"));
        good = good && checked;
    }
    if (auto* buttons = findChild<QDialogButtonBox*>())
        buttons->button(QDialogButtonBox::Ok)->setEnabled(good);
}

} // namespace arbor

// The window's own preferences, and the settings of the store that is open.
#pragma once

#include <QDialog>
#include <QHash>
#include <QMap>

class QComboBox;
class QLineEdit;

namespace arbor {

class PreferencesDialog : public QDialog {
    Q_OBJECT
  public:
    // `settings`: those of the store; empty when none is open.
    explicit PreferencesDialog(const QMap<QString, QString>& settings, QWidget* parent = nullptr);

    QString terminal() const;
    QString appearance() const; // "desktop", "light", "dark"
    // What the person changed of the store's settings.
    QMap<QString, QString> changedSettings() const;

  private:
    void checkSettings();

    QMap<QString, QString> m_before;
    QLineEdit* m_terminal;
    QComboBox* m_appearance;
    QHash<QString, QLineEdit*> m_fields;
};

} // namespace arbor

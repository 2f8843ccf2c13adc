// Names something where it will stand: a line with a proposal, for branches also when it expires. Enter takes
// it, Escape or a click elsewhere leaves it.
#pragma once

#include "widgets/views/theme.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QLineEdit;

namespace arbor {

class NameEditor : public QWidget {
    Q_OBJECT
  public:
    enum class Purpose { Branch, Checkpoint };
    NameEditor(Purpose purpose, const QString& proposal, const Theme& theme, QWidget* parent);

    QString name() const;
    QString expiry() const; // "7d"; empty: never
    // Why the engine, or the rule for names, did not take it; the editor stays open.
    void setProblem(const QString& text);
    // 1 to 63 of letters, digits and -_./, beginning with a letter or digit, no empty part, "." or ".."
    // between slashes.
    static bool isValidName(const QString& name);

  Q_SIGNALS:
    void accepted(const QString& name, const QString& expiry);
    void cancelled();

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

  private:
    void accept();
    QLineEdit* m_line;
    QComboBox* m_expiry = nullptr;
    Theme m_theme;
    bool m_done = false;
};

} // namespace arbor

// The field beside the cursor: takes every form of a position and shows what it resolves to.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"
#include "widgets/views/theme.h"

#include <QString>
#include <QTimer>
#include <QWidget>

#include <optional>

class QLabel;
class QLineEdit;

namespace arbor {

// What the engine says about a position.
struct ResolvedPosition {
    Lsn lsn;
    Timestamp time;               // 0: not known
    std::optional<Lsn> commitLsn; // of the last commit before it
    std::uint32_t commitXid = 0;
    Timestamp commitTime;
    std::uint64_t walBehindHead = 0;
    Timestamp headTime; // 0: not known
    bool isHead = false;
    QString message; // a note or a warning of the engine's
};

class PositionField : public QWidget {
    Q_OBJECT
  public:
    explicit PositionField(QWidget* parent = nullptr);
    void setTheme(const Theme& theme);

    // Fills the line unless somebody is typing in it, and the explanation.
    void setResolved(const ResolvedPosition& position);
    // What was typed means nothing: the engine's sentence.
    void setProblem(const QString& text);
    void clear();
    QString text() const;
    // What the explanation says, in full.
    QString explanation() const;
    void focusForTyping();
    QSize sizeHint() const override;

  Q_SIGNALS:
    // 250 ms after the last key, and at Enter at once (then with `final`): resolve it and answer with
    // setResolved.
    void typed(const QString& text, bool final);
    void left(); // Escape: back to the tree

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void showExplanation();
    QLineEdit* m_line;
    QLabel* m_label;
    QTimer m_pause;
    QString m_full;
    QStringList m_short; // the longest first: what there is room for is shown
    bool m_problem = false;
    Theme m_theme;
};

} // namespace arbor

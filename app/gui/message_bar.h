// The bar at the bottom of the window that says what has just been done and offers to undo it, in place of
// questions before.
#pragma once

#include <QFrame>
#include <QTimer>

#include <functional>

class QLabel;
class QPushButton;

namespace arbor {

class MessageBar : public QFrame {
    Q_OBJECT
  public:
    enum class Kind { Done, Problem, Hint };
    explicit MessageBar(QWidget* parent = nullptr);

    // Shows the text until its time is up (problems and hints stay), with a button when `action` is given. A
    // later message takes the place of an earlier one.
    void show(Kind kind, const QString& text, const QString& actionText = {},
              std::function<void()> action = {});
    // Beside the button a second one, which leaves the message where it is; until the next message.
    void offer(const QString& actionText, std::function<void()> action);
    QString text() const;
    QPushButton* actionButton() const { return m_action; }
    QPushButton* secondButton() const { return m_second; }

  protected:
    void changeEvent(QEvent* event) override;

  private:
    void drawIcon();

    Kind m_kind = Kind::Done;
    QLabel* m_icon;
    QLabel* m_text;
    QPushButton* m_action;
    QPushButton* m_second;
    std::function<void()> m_act;
    std::function<void()> m_actSecond;
    QTimer m_timer;
};

} // namespace arbor

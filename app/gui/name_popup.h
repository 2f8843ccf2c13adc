// A small editor over the window for one name (and, for a new branch, its expiry): Enter takes it, Escape
// leaves.
#pragma once

#include <QFrame>

#include <QPointer>

#include <functional>
#include <optional>

class QLabel;
class QLineEdit;
class QPushButton;

namespace arbor {

class NamePopup : public QFrame {
    Q_OBJECT
  public:
    explicit NamePopup(QWidget* parent);

    struct Question {
        QString title;
        QString name; // prefilled and selected
        QString button;
        bool withExpiry = false;                      // a second field: "7d", or empty for never
        std::function<QString(const QString&)> fault; // what is wrong with a name; empty: nothing
        std::function<void(const QString& name, const QString& expires)> accept;
    };
    // `at` in the parent's coordinates; moved so that all of it is seen. Without `at`: the middle of the
    // upper part.
    void ask(Question question, std::optional<QPoint> at = {});
    QLineEdit* field() const { return m_name; }

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    void check();
    void take();

    Question m_question;
    QPointer<QWidget> m_before; // who had the focus
    QLabel* m_title;
    QLineEdit* m_name;
    QLabel* m_expiryLabel;
    QLineEdit* m_expiry;
    QLabel* m_fault;
    QPushButton* m_accept;
};

} // namespace arbor

// What restoring a branch would mean, in numbers, and the one button that does it.
#pragma once

#include "app/gui/store_session.h"

#include <QFrame>

#include <optional>

class QLabel;
class QPushButton;

namespace arbor {

class RestorePanel : public QFrame {
    Q_OBJECT
  public:
    explicit RestorePanel(StoreSession& session, QWidget* parent = nullptr);

    // Asks what it would mean and shows it, and goes on doing so while it is open: the head moves.
    void open(const BranchRow& branch, const QString& position);
    QPushButton* restoreButton() const { return m_restore; }
    QString consequences() const;

  Q_SIGNALS:
    void confirmed(const QString& branch, const QString& position);
    void cancelled();

  protected:
    void keyPressEvent(QKeyEvent* event) override;

  private:
    void refresh();
    void ask();
    void take(const Result<QJsonValue>& resolved);
    void showConsequences();
    QStringList consequencesOf(const BranchRow& branch, const QJsonObject& at) const;

    StoreSession& m_session;
    std::uint64_t m_branchId = 0;
    QString m_branch; // its name
    QString m_position;
    struct Head {
        std::uint64_t timeline = 0;
        Lsn lsn;
        bool operator==(const Head&) const = default;
    };
    Head m_askedAt; // where the branch's head was then
    bool m_asking = false;
    std::optional<Result<QJsonValue>> m_resolved; // the latest answer
    QLabel* m_title;
    QLabel* m_text;
    QPushButton* m_restore;
};

} // namespace arbor

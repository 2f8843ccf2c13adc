// The point that actions go to: a field that takes every form of POS, what it resolves to, and the four
// actions.
#pragma once

#include "app/gui/store_session.h"
#include "widgets/views/position_field.h"

#include <QFrame>
#include <QTimer>

class QLabel;
class QLineEdit;

namespace arbor {

class WindowActions;

class PointPanel : public QFrame {
    Q_OBJECT
  public:
    PointPanel(StoreSession& session, const WindowActions& actions, QWidget* parent = nullptr);

    // Shows the branch's head, or with a position that one.
    void setPoint(const QString& branch, const QString& position);
    // Takes the branch as it is now: its name, and when its head is elsewhere than it was, asks again.
    void refresh(const BranchRow& branch);
    // Asks what a text means: the answer comes as resolved or unresolved, and with `choose` as positionChosen
    // too.
    void tryPosition(const QString& branch, const QString& position, bool choose);
    // What it resolves to; 0 while that is not known.
    Lsn lsn() const { return m_lsn; }
    QLineEdit* field() const { return m_field; }

  Q_SIGNALS:
    // The person wrote a position that the engine knows.
    void positionChosen(const QString& position, arbor::Lsn lsn);
    void headChosen();
    void resolved(const arbor::ResolvedPosition& position);
    void unresolved(const QString& problem);

  private:
    void ask();
    void take(const Result<QJsonValue>& result);
    void showFacts(const ResolvedPosition& position);

    struct Question {
        QString branch;
        QString position; // "" for the head
        bool choose = false;
        bool operator==(const Question&) const = default;
    };

    StoreSession& m_session;
    Lsn m_lsn;
    struct Head {
        std::uint64_t timeline = 0;
        Lsn lsn;
        bool operator==(const Head&) const = default;
    };
    static Head headOf(const BranchRow& branch) { return {branch.timeline, branch.headLsn}; }

    Question m_question; // the latest
    Head m_askedAt;      // where the branch's head was then
    bool m_asking = false;
    bool m_again = false; // it changed while the one before was on its way
    QLabel* m_title;
    QLineEdit* m_field;
    QLabel* m_facts;
};

} // namespace arbor

// The panel at the right: the selected branch, the point at the cursor, and what restoring to it would mean.
#pragma once

#include "app/gui/store_session.h"

#include <QHash>
#include <QScrollArea>

class QLabel;
class QStackedWidget;
class QToolButton;

namespace arbor {

class OutsideMenu;
class PointPanel;
class RestorePanel;
class WindowActions;

class Inspector : public QScrollArea {
    Q_OBJECT
  public:
    Inspector(StoreSession& session, const WindowActions& actions, QWidget* parent = nullptr);

    // 0: none. point() is told by itself.
    void setBranch(std::uint64_t branchId);
    // Takes the picture as it is now.
    void refresh();
    // What is counted from now: how long it has been up, when it expires.
    void setNow();
    PointPanel& point() { return *m_point; }
    RestorePanel& restore() { return *m_restore; }
    OutsideMenu& outside() { return *m_outside; }
    void openRestore(const QString& position);
    void closeRestore();

  protected:
    void changeEvent(QEvent* event) override;

  private:
    void paintError();
    QWidget* makeHead(const WindowActions& actions);
    QWidget* makeFacts();
    const BranchRow* branch() const;
    void showFacts();
    void showBranch(const BranchRow& branch);
    void showTimes(const BranchRow& branch);
    void setFact(QLabel* value, const QString& text);

    StoreSession& m_session;
    const WindowActions& m_actions;
    std::uint64_t m_branchId = 0;
    QStackedWidget* m_pages;
    QLabel* m_name;
    QLabel* m_state;
    QLabel* m_error = nullptr;
    QToolButton* m_startStop;
    QHash<QLabel*, QLabel*> m_factTitles;
    QLabel* m_head;
    QLabel* m_forked;
    QLabel* m_history;
    QLabel* m_own;
    QLabel* m_shared;
    QLabel* m_pins;
    QLabel* m_expires;
    QLabel* m_endpoint;
    QLabel* m_allowed;
    OutsideMenu* m_outside;
    PointPanel* m_point;
    RestorePanel* m_restore;
};

} // namespace arbor

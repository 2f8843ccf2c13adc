// The middle of the window: the tree of branches with its timeline, fed from the session's picture.
#pragma once

#include "app/gui/store_session.h"
#include "widgets/models/branch_tree_model.h"
#include "widgets/views/branch_timeline_view.h"

#include <QElapsedTimer>
#include <QHash>
#include <QTimer>
#include <QWidget>

#include <functional>
#include <optional>
#include <utility>

namespace arbor {

class WindowActions;

class BranchArea : public QWidget {
    Q_OBJECT
  public:
    BranchArea(StoreSession& session, const WindowActions& actions, QWidget* parent = nullptr);

    BranchTimelineView& timelineView() { return *m_view; }
    QTreeView& tree() { return m_view->tree(); }
    BranchTreeModel& model() { return *m_model; }

    // Takes the picture as it is now.
    void refresh();
    // Ages, and where the history window begins.
    void setNow();
    // What is pinned and what a sweep frees is out of date. The engine is asked when somebody looks.
    void refreshRanges();
    void setFilter(const QString& text);
    void setSolo(std::uint64_t branchId);
    void setStale(bool stale);

    std::uint64_t currentBranch() const { return m_view->currentBranch(); }
    void selectBranch(std::uint64_t branchId) { m_view->setCurrentBranch(branchId); }
    void setCursor(std::uint64_t branchId, Lsn lsn);
    void clearCursor();
    // The part of time in view.
    void showTimes(Timestamp from, Timestamp to);
    // For the next window: the columns, and of this store the selected branch and the rows that are closed.
    void saveLayout() const;
    // A key of the timeline's own, as if it had been pressed.
    void pressKey(Qt::Key key);

  Q_SIGNALS:
    void branchSelected(std::uint64_t branchId); // 0: none
    void pointPicked(std::uint64_t branchId, arbor::Lsn lsn);
    void cursorCleared();
    void psqlAsked();
    void menuAsked(const QPoint& globalPosition);
    void historyTimeAsked(const QString& duration);
    void historyEdgeMoved(const QString& duration); // while it is dragged; "": back where it was
    void timesShown(arbor::Timestamp from, arbor::Timestamp to);

  protected:
    void showEvent(QShowEvent* event) override;

  private:
    void restoreColumns();
    void restoreRows();
    void forEachParent(const std::function<void(const QModelIndex& index, const QString& key)>& visit) const;
    QHash<QString, bool> openParents() const; // by their names over time
    void takeCursor();
    void askRanges();
    void announceTimes();

    struct Shown { // zeros: everything, however much that is
        TimelineAxis axis = TimelineAxis::Lsn;
        AxisValue from = 0;
        AxisValue to = 0;
        bool operator==(const Shown&) const = default;
    };

    StoreSession& m_session;
    BranchTreeModel* m_model;
    BranchTimelineView* m_view;
    QTimer m_rangesLater; // a plan is a walk over the index: not at every event
    QElapsedTimer m_rangesAsked;
    bool m_rangesStale = true;
    Shown m_shown;
    struct Unfiltered {
        std::uint64_t current = 0;
        QHash<QString, bool> isOpen;
    };
    std::optional<Unfiltered> m_unfiltered; // how it was before the filter
    bool m_plotLeads = false;               // its part of time was the person's choice
    bool m_hasBranches = false;             // there have been some
    bool m_zooming = false;                 // the view changes because the window said so
    bool m_placing = false;                 // the cursor moves because the window said so
    // Branch and place, as they were last known.
    std::optional<std::pair<std::uint64_t, Lsn>> m_cursorAt;
};

} // namespace arbor

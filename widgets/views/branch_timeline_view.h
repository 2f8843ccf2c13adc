// The heart of the window: the tree of branches with a shared timeline. Fed with plain structs
// (BranchTreeModel, MarksStore), it reports what a person wants; it does nothing to any database by itself.
//
//     BranchTreeModel branches;  MarksStore marks;
//     BranchTimelineView view;   view.setSources(&branches, &marks);
//     branches.setRows(...);     marks.setSpan(id, ...); marks.add(id, ...);
//
// marks.setSpan wants calling for every branch whenever its row changes: it is the branch's map between LSN
// and time.
#pragma once

#include "widgets/models/branch_filter_model.h"
#include "widgets/models/branch_tree_model.h"
#include "widgets/models/marks_store.h"
#include "widgets/views/name_editor.h"
#include "widgets/views/theme.h"
#include "widgets/views/timeline_state.h"

#include <QPointer>
#include <QWidget>

#include <optional>

class QAbstractButton;
class QTreeView;

namespace arbor {

class BranchTreeView;
class PositionField;
class TimelineOverview;

class BranchTimelineView : public QWidget {
    Q_OBJECT
  public:
    explicit BranchTimelineView(QWidget* parent = nullptr);
    ~BranchTimelineView() override;

    // Neither is owned; both must outlive the view. Once.
    void setSources(BranchTreeModel* branches, MarksStore* marks);

    TimelineState& timeline() { return m_state; } // scale, axis, ranges, history edge, now
    BranchFilterModel& filter();                  // text, hidden, solo
    QTreeView& tree();                            // selection, expansion, actions, state of the header
    PositionField& positionField() { return *m_field; }

    // 0: a group or nothing. Setting opens what is around the branch.
    std::uint64_t currentBranch() const;
    void setCurrentBranch(std::uint64_t branchId);
    std::vector<std::uint64_t> selectedBranches() const;

    const std::optional<TimelinePosition>& cursor() const { return m_state.cursor(); }
    // Also makes the branch the current one and pans to it.
    void setCursor(std::uint64_t branchId, Lsn lsn);

    // The inline editors. A second one takes the place of the first. They report through branchNamed and
    // checkpointNamed, and stay, disabled, until endNaming (done) or namingFailed (the engine's sentence;
    // open again).
    void nameBranch(std::uint64_t parentId, Lsn at, const QString& proposal);
    void nameCheckpoint(std::uint64_t branchId, Lsn at, const QString& proposal);
    void endNaming();
    void namingFailed(const QString& message);
    bool isNaming() const { return m_editor != nullptr; }

    // The hand holds the edge of the history window: it is not to be set meanwhile.
    bool isDraggingHistoryEdge() const;

    // The engine is gone: the last picture, greyed.
    void setStale(bool stale);

  Q_SIGNALS:
    void currentBranchChanged(std::uint64_t branchId);
    void cursorMoved();                           // cursor() says where; also when it went away
    void branchActivated(std::uint64_t branchId); // Enter or double click
    void branchNamed(const QString& name, const QString& expiry, std::uint64_t parentId, arbor::Lsn at);
    void checkpointNamed(const QString& name, std::uint64_t branchId, arbor::Lsn at);
    void namingCancelled();
    // Beside a branch, or on nothing (0); at the cursor when in the timeline.
    void menuRequested(std::uint64_t branchId, const QPoint& globalPosition);
    // The edge of the history window on the axis: live, and once more when it is let go.
    void historyEdgeDragged(arbor::Timestamp edge, bool finished);
    void historyEdgeBack(); // dragged back to where it was
    void axisChanged(arbor::TimelineAxis axis);

  protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

  private:
    void buildAxisSwitch();
    void applyTheme();
    void placeParts();
    void showEditor(std::uint64_t branchId, Lsn at, const QString& proposal, bool branch);

    TimelineState m_state;
    BranchTreeView* m_tree;
    TimelineOverview* m_overview;
    PositionField* m_field;
    QWidget* m_bar; // above the tree: the switch and the overview
    QAbstractButton* m_lsnButton = nullptr;
    QAbstractButton* m_timeButton = nullptr;
    QPointer<NameEditor> m_editor;
    std::uint64_t m_editorBranch = 0; // whose row it stands over; 0: the ghost's
    Theme m_theme;
};

} // namespace arbor

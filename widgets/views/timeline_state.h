// What the parts of the timeline share: the scale, the axis, the cursor, where each branch stands. The rows,
// the axis header and the overview strip all draw from here and change it here. Belongs to the window's
// thread.
#pragma once

#include "widgets/models/branch_tree_model.h"
#include "widgets/models/marks_store.h"
#include "widgets/models/timeline_geometry.h"
#include "widgets/models/timeline_scale.h"

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QTimer>

#include <optional>
#include <vector>

namespace arbor {

// A point in a branch's history, as the cursor stands on it.
struct TimelinePosition {
    std::uint64_t branchId = 0;
    Lsn lsn;
    Timestamp time;           // 0: not known
    std::optional<Mark> mark; // what stands exactly there
    bool isHead = false;
    bool operator==(const TimelinePosition&) const = default;
};

class TimelineState : public QObject {
    Q_OBJECT
  public:
    explicit TimelineState(QObject* parent = nullptr);
    // Neither is owned; both must outlive this.
    void setSources(BranchTreeModel* model, MarksStore* marks);
    BranchTreeModel* model() const { return m_model; }
    MarksStore* marks() const { return m_marks; }

    const TimelineScale& scale() const { return m_axis == TimelineAxis::Lsn ? m_lsnScale : m_timeScale; }
    TimelineAxis axis() const { return m_axis; }
    // What is in view stays in view, by the map of the cursor's branch or else of the oldest root.
    void setAxis(TimelineAxis axis);
    void setWidth(double pixels);
    void zoom(double factor, double anchorX);
    void pan(double pixels);
    void show(AxisValue from, AxisValue to);
    void fitBranch(std::uint64_t branchId); // the branch with its groups and children
    void resetView();
    // The time that is in view. By LSN: from when to when branches wrote it, and until now if it is
    // everything.
    struct Times {
        Timestamp from;
        Timestamp to;
    };
    std::optional<Times> timesInView() const; // never empty
    // The reverse; does nothing where no time is known.
    void showTimes(Times times);

    // Pixels in the column, whatever the axis; nothing when the axis is time and none is known.
    std::optional<double> xOf(std::uint64_t branchId, Lsn lsn) const;
    double forkX(const BranchRow& row) const;
    // The LSN of the branch there, held inside its life.
    std::optional<Lsn> lsnAt(std::uint64_t branchId, double x) const;

    // A row's picture, kept until the scale, the branch or its marks change.
    const RowGeometry& geometry(const BranchRow& row);

    const std::optional<TimelinePosition>& cursor() const { return m_cursor; }
    void setCursor(std::uint64_t branchId, Lsn lsn);
    // Snaps to a mark within 6 px unless told not to. Outside the branch's life: its nearer end.
    void setCursorAt(std::uint64_t branchId, double x, bool snap);
    void clearCursor();
    bool stepCursor(std::uint64_t branchId, bool forward); // to the next or previous mark

    void setRanges(std::vector<TimelineRange> ranges);
    const std::vector<TimelineRange>& ranges(std::uint64_t branchId) const;

    // Where the history window begins, for the axis: dragging it only reports.
    void setHistoryEdge(std::optional<Timestamp> edge);
    std::optional<Timestamp> historyEdge() const { return m_historyEdge; }
    std::optional<double> historyEdgeX() const;
    std::optional<Timestamp> timeAtX(double x) const;
    std::uint64_t referenceBranch()
        const; // whose map the axis goes by: the cursor's branch, or the oldest root

    void setNow(Timestamp now); // the time axis reaches to it
    static constexpr double snapReach = 6;

  Q_SIGNALS:
    void viewChanged();   // scale, axis or what the bars show: paint again
    void cursorChanged(); // and only the cursor
    void dataChanged();   // the overview is out of date

  private:
    TimelineScale& current() { return m_axis == TimelineAxis::Lsn ? m_lsnScale : m_timeScale; }
    void scaleChanged();
    void updateDomain();
    void updateCursor();
    TimelinePosition position(const BranchRow& row, Lsn lsn) const;

    struct Cached {
        RowGeometry geometry;
        std::uint64_t marks = 0;
        Lsn head;
        Lsn fork;
        Lsn history;
        Timestamp headTime;
    };

    QPointer<BranchTreeModel> m_model;
    QPointer<MarksStore> m_marks;
    TimelineAxis m_axis = TimelineAxis::Time;
    TimelineScale m_lsnScale;
    TimelineScale m_timeScale;
    std::optional<TimelinePosition> m_cursor;
    std::optional<Timestamp> m_historyEdge;
    Timestamp m_now;
    QHash<std::uint64_t, std::vector<TimelineRange>> m_ranges;
    QHash<std::uint64_t, Cached> m_cache;
    QTimer m_refresh; // gathers the changes of models
};

} // namespace arbor

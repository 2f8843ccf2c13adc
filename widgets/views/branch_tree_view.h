// The tree itself: rows from the delegate, elbows below them, the cursor above, and the keys and mouse of the
// timeline.
#pragma once

#include "widgets/models/branch_filter_model.h"
#include "widgets/views/timeline_state.h"

#include <QTreeView>

#include <vector>

namespace arbor {

class BranchDelegate;
class TimelineHeader;

class BranchTreeView : public QTreeView {
    Q_OBJECT
  public:
    // The state is not owned.
    explicit BranchTreeView(TimelineState& state, QWidget* parent = nullptr);
    void setSource(BranchTreeModel* model);
    BranchFilterModel& filter() { return *m_filter; }
    TimelineHeader& axisHeader() { return *m_header; }
    BranchDelegate& delegate() { return *m_delegate; }

    // The index in the view's model; invalid for one that is filtered away.
    QModelIndex viewIndex(std::uint64_t branchId) const;
    std::uint64_t branchAt(const QModelIndex& viewIndex) const; // 0: a group, the ghost, nothing
    std::uint64_t currentBranch() const { return branchAt(currentIndex()); }
    QRect timelineColumn() const; // in the viewport
    // Pans so that the cursor is in view.
    void revealCursor();

    QModelIndex indexAt(const QPoint& point) const override { return QTreeView::indexAt(point); }
    void keyboardSearch(const QString&) override {} // letters are commands

  Q_SIGNALS:
    void geometryMoved(); // rows stand elsewhere than before

  protected:
    void paintEvent(QPaintEvent* event) override;
    void drawRow(QPainter* painter, const QStyleOptionViewItem& option,
                 const QModelIndex& index) const override;
    void drawBranches(QPainter* painter, const QRect& rect, const QModelIndex& index) const override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void updateGeometries() override;
    void scrollContentsBy(int dx, int dy) override;

  private:
    struct Elbow {
        double x;
        int top;
        int bottom;
        std::uint64_t branchId;
        bool ends; // in a row of this view: it bends into the bar
    };
    std::vector<Elbow> elbows() const;
    void addPassing(std::vector<Elbow>& result, const QModelIndex& last) const;
    void paintElbows(QPainter& painter) const;
    void paintCursor(QPainter& painter) const;
    QModelIndex branchAbove(const QModelIndex& index) const;
    const BranchNode& nodeOf(const QModelIndex& index) const;
    void updateCursorStrip();
    void fitColumns();
    void selectCurrent();
    void updateWidth();
    double anchor() const; // where keys zoom: the pointer, else the cursor, else the middle
    bool showMarkTip(QHelpEvent* event);

    enum class Drag { None, Cursor, Pan };
    TimelineState& m_state;
    BranchFilterModel* m_filter;
    BranchDelegate* m_delegate;
    TimelineHeader* m_header;
    Drag m_drag = Drag::None;
    std::uint64_t m_dragBranch = 0;
    int m_dragX = 0;
    int m_cursorX = -1; // where it was painted last
};

} // namespace arbor

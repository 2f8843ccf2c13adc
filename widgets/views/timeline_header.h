// The tree's header: quiet titles, and over the timeline column the axis with the edge of the history window,
// a lane for the cursor's field, and the switch between LSN and time.
#pragma once

#include "widgets/views/theme.h"

#include <QHeaderView>

#ifndef Q_MOC_RUN // moc stumbles over the library's concepts
#include "storage/base/time.h"

#include <optional>
#endif

namespace arbor {

class TimelineState;

class TimelineHeader : public QHeaderView {
    Q_OBJECT
  public:
    // The state is not owned.
    explicit TimelineHeader(TimelineState& state, QWidget* parent = nullptr);
    void setTheme(const Theme& theme);

    // The widget that stands beside the cursor; the header becomes its parent. Null: none.
    void setCursorField(QWidget* field);
    QRect timelineRect() const; // of the timeline section, in this widget's coordinates
    static constexpr int axisHeight = 30;
    static constexpr int laneHeight = 36;

    bool isDraggingEdge() const { return m_drag == Drag::Edge; }

    QSize sizeHint() const override;

  Q_SIGNALS:
    // While the edge of the history window is dragged, and at its end (then once more with finished). A click
    // that moves nothing is none.
    void historyEdgeDragged(arbor::Timestamp edge, bool finished);
    // It has been dragged back to where it was, or Escape has put it there: let go now, nothing has happened.
    void historyEdgeBack();

  protected:
    void paintSection(QPainter* painter, const QRect& rect, int section) const override;
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    enum class Drag { None, Edge, Pan, Cancelled };
    void paintTitle(QPainter& painter, const QRect& rect, int section) const;
    void paintAxis(QPainter& painter, const QRect& rect) const;
    void paintCursorTag(QPainter& painter, const QRect& rect) const;
    void placeField();
    void dragEdge(int x);
    void putEdgeBack();
    void setDrag(Drag drag);
    bool isBack(int x) const;
    bool onEdge(QPoint position) const;
    bool onAxis(QPoint position) const;

    TimelineState& m_state;
    Theme m_theme;
    QWidget* m_field = nullptr;
    Drag m_drag = Drag::None;
    int m_dragX = 0;
    std::optional<Timestamp> m_edgeBefore; // when the button was pressed
    bool m_moved = false;
};

} // namespace arbor

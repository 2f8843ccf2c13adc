// The strip above the tree: the log of all branches from the first to the last byte, with the part in view
// between two handles. Drag a handle to zoom, between them to move, outside to draw a new part; double click
// shows everything.
#pragma once

#include "widgets/models/timeline_scale.h"
#include "widgets/views/theme.h"

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include <vector>

namespace arbor {

class TimelineState;

class TimelineOverview : public QWidget {
    Q_OBJECT
  public:
    // The state is not owned.
    explicit TimelineOverview(TimelineState& state, QWidget* parent = nullptr);
    void setStale(bool stale); // the engine is gone
    void setTheme(const Theme& theme);
    QSize sizeHint() const override { return {200, 44}; }

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

  private:
    bool mayCompute() const;
    void compute();
    double xOfValue(double value) const; // relative to the domain's start
    double valueAtX(double x) const;
    double viewLeft() const;
    double viewRight() const;
    enum class Part { None, Left, Right, Middle, Outside };
    Part partAt(double x) const;

    TimelineState& m_state;
    Theme m_theme;
    std::vector<double> m_heights; // 0 to 1, one a bucket
    bool m_stale = true;           // they are to be computed again
    double m_opacity = 1;
    TimelineAxis m_axis = TimelineAxis::Lsn; // of m_heights
    QElapsedTimer m_computed;                // since then
    qint64 m_costMs = 0;
    QTimer m_later;
    Part m_drag = Part::None;
    double m_dragX = 0;
    double m_dragFrom = 0; // of the view at the press, in pixels of the strip
    double m_dragTo = 0;
};

} // namespace arbor

// A relation as a field of cells, a cell for a page or for as many as it takes to show all: coloured by the
// branch that a read of the page is answered from, so that what a branch has made its own stands out.
#pragma once

#include <QColor>
#include <QString>
#include <QWidget>

#include <cstdint>
#include <optional>
#include <vector>

namespace arbor {

struct PageMapCells {
    struct Source {
        QString name;
        std::uint64_t branch = 0; // for its colour; 0: no branch has that timeline any more
        std::uint64_t pages = 0;
        bool operator==(const Source&) const = default;
    };
    std::uint64_t from = 0;      // the first cell's first block
    std::uint64_t blocks = 0;    // of the relation
    std::uint64_t perCell = 1;   // blocks
    std::vector<Source> sources; // the branch itself first, then what it was forked from
    std::vector<int> cells;      // a source; -1: never written, reads as zeros
    bool operator==(const PageMapCells&) const = default;

    std::uint64_t blockOf(int cell) const { return from + static_cast<std::uint64_t>(cell) * perCell; }
};

class PageMapView : public QWidget {
    Q_OBJECT
  public:
    explicit PageMapView(QWidget* parent = nullptr);

    void setCells(PageMapCells cells);
    const PageMapCells& cells() const { return m_cells; }
    // The cell that is marked; -1: none.
    int current() const { return m_current; }
    void setCurrent(int cell);
    // In words: "Block 12, from main".
    QString cellText(int cell) const;
    QRect cellRect(int cell) const;
    // Of the cells of a source; of none with -1.
    QColor colour(int source) const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  Q_SIGNALS:
    void currentChanged(int cell); // by mouse or arrow keys
    void activated(int cell);      // a click, or Enter
    void coloursChanged();         // with the palette

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;
    bool event(QEvent* event) override;

  private:
    int pitch() const; // pixels from a cell to the next
    int columns() const;
    int cellAt(QPoint point) const;
    void choose(int cell);

    PageMapCells m_cells;
    int m_current = -1;
    int m_hovered = -1;
};

} // namespace arbor

// What the panels share in looks: flat tables as the tree of branches is, and buttons with a menu.
#pragma once

#include <QLabel>

class QToolButton;
class QTreeView;

namespace arbor {

// The header of the tree of branches: quiet titles over a line, no bevels.
void flatTable(QTreeView& table);
// A button that opens a menu says so by a small triangle after its text, not in its corner.
void menuButton(QToolButton& button, const QString& text);

// A line of plain text that ends in an ellipsis where there is no room for it, and asks for none.
class ElidedLabel : public QLabel {
  public:
    explicit ElidedLabel(QWidget* parent = nullptr);

  protected:
    void paintEvent(QPaintEvent* event) override;
};

} // namespace arbor

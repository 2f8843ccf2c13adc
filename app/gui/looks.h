// What the panels share in looks: flat tables as the tree of branches is, and buttons with a menu.
#pragma once

class QString;
class QToolButton;
class QTreeView;

namespace arbor {

// The header of the tree of branches: quiet titles over a line, no bevels.
void flatTable(QTreeView& table);
// A button that opens a menu says so by a small triangle after its text, not in its corner.
void menuButton(QToolButton& button, const QString& text);

} // namespace arbor

// What the dialogs that bring databases in and out look like, once.
#pragma once

#include <QString>

#include <functional>

class QBoxLayout;
class QFileDialog;
class QLabel;
class QLineEdit;
class QTextBrowser;
class QVBoxLayout;
class QWidget;

namespace arbor {

// What a page is about, in its first line.
QLabel* transferTitle(QWidget* parent, const QString& text = {});
// Sentences, flush with the title. Read-only.
QTextBrowser* transferList(QWidget* parent, const QString& accessibleName);
// The layout of a page: no margins, the title at its top.
QVBoxLayout* transferPage(QWidget* page, QLabel* title);
// A field for a path with a button beside it that asks for one; `prepare` says what may be chosen.
QBoxLayout* withBrowse(QLineEdit* path, const QString& tip, std::function<void(QFileDialog&)> prepare);

} // namespace arbor

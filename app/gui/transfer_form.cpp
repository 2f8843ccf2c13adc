#include "app/gui/transfer_form.h"

#include "app/gui/symbolic_icon.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QTextBrowser>
#include <QTextDocument>
#include <QToolButton>
#include <QVBoxLayout>

namespace arbor {

QLabel* transferTitle(QWidget* parent, const QString& text) {
    auto* label = new QLabel(text, parent);
    QFont bold = label->font();
    bold.setBold(true);
    bold.setPointSizeF(bold.pointSizeF() * 1.15);
    label->setFont(bold);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    return label;
}

QTextBrowser* transferList(QWidget* parent, const QString& accessibleName) {
    auto* view = new QTextBrowser(parent);
    view->setFrameShape(QFrame::NoFrame);
    view->viewport()->setAutoFillBackground(false);
    view->document()->setDocumentMargin(0);
    view->setAccessibleName(accessibleName);
    view->setTabChangesFocus(true);
    return view;
}

QVBoxLayout* transferPage(QWidget* page, QLabel* title) {
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(title);
    layout->addSpacing(4);
    return layout;
}

QBoxLayout* withBrowse(QLineEdit* path, const QString& tip, std::function<void(QFileDialog&)> prepare) {
    auto* browse = new QToolButton(path->parentWidget());
    browse->setIcon(symbolicIcon(QStringLiteral("open")));
    browse->setToolTip(tip);
    browse->setAccessibleName(tip);
    QObject::connect(browse, &QToolButton::clicked, path, [path, tip, prepare = std::move(prepare)] {
        auto* dialog = new QFileDialog(path->window(), tip, QFileInfo(path->text()).path());
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        prepare(*dialog);
        QObject::connect(dialog, &QFileDialog::fileSelected, path, &QLineEdit::setText);
        dialog->open();
    });
    auto* line = new QHBoxLayout;
    line->addWidget(path, 1);
    line->addWidget(browse);
    return line;
}

} // namespace arbor

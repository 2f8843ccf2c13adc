#include "app/gui/key_list.h"

#include "app/gui/window_actions.h"

#include <QDialogButtonBox>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace arbor {

namespace {

QString firstTwoKeys(const QList<QKeySequence>& sequences) {
    QStringList keys;
    for (const QKeySequence& key : sequences.mid(0, 2))
        keys += QStringLiteral("<code>%1</code>").arg(key.toString(QKeySequence::NativeText).toHtmlEscaped());
    return keys.join(KeyList::tr(" or "));
}

QString row(const QString& keys, const QString& text) {
    return QStringLiteral("<tr><td width='150' style='padding:2px 24px 2px 0'>%1</td><td style='padding:2px "
                          "0'>%2</td></tr>")
        .arg(keys, text.toHtmlEscaped());
}

} // namespace

KeyList::KeyList(const WindowActions& actions, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keys"));
    setAttribute(Qt::WA_DeleteOnClose);
    QString html;
    for (const WindowActions::Group& group : actions.groups()) {
        html += QStringLiteral("<h3>%1</h3><table>").arg(group.title.toHtmlEscaped());
        for (const QAction* action : group.actions)
            if (!action->shortcuts().isEmpty())
                html +=
                    row(firstTwoKeys(action->shortcuts()), QString(action->text()).remove(u'&').remove(u'…'));
        html += QStringLiteral("</table>");
    }
    html += QStringLiteral("<h3>%1</h3><table>").arg(tr("With the arrows").toHtmlEscaped());
    html += row(firstTwoKeys({Qt::Key_Up, Qt::Key_Down}), tr("The branch above or below"));
    html +=
        row(firstTwoKeys({Qt::Key_Left, Qt::Key_Right}), tr("Close or open what stands below the branch"));
    html +=
        row(firstTwoKeys({QKeySequence(Qt::SHIFT | Qt::Key_Left), QKeySequence(Qt::SHIFT | Qt::Key_Right)}),
            tr("Move the cursor by a pixel; with Ctrl by ten"));
    html += QStringLiteral("</table>");
    html += QStringLiteral("<h3>%1</h3><table>").arg(tr("With the mouse").toHtmlEscaped());
    html += row(tr("Click"), tr("Place the cursor; it snaps to marks, with Alt it does not"));
    html += row(tr("Wheel"), tr("Scroll; with Ctrl zoom, with Shift move along the timeline"));
    html += row(tr("Drag the history's edge"),
                tr("See what another history window frees; Escape leaves it as it was"));
    html += QStringLiteral("</table>");
    auto* text = new QTextBrowser(this);
    text->setHtml(html);
    text->setFrameShape(QFrame::NoFrame);
    text->setAccessibleName(tr("Keys"));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(text);
    layout->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    resize(520, 600);
}

} // namespace arbor

#include "app/gui/restore_panel.h"

#include "app/control/methods.h"
#include "app/gui/picture_json.h"
#include "app/gui/symbolic_icon.h"
#include "storage/base/units.h"
#include "widgets/models/format.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

RestorePanel::RestorePanel(StoreSession& session, QWidget* parent)
    : QFrame(parent), m_session(session), m_title(new QLabel(this)), m_text(new QLabel(this)),
      m_restore(new QPushButton(symbolicIcon(QStringLiteral("restore")), tr("Restore"), this)) {
    setObjectName(QStringLiteral("restorePanel"));
    setFrameShape(QFrame::StyledPanel);
    QFont bold = font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_title->setWordWrap(true);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::RichText);
    m_restore->setObjectName(QStringLiteral("restoreButton"));
    m_restore->setAutoDefault(true);
    auto* cancel = new QPushButton(tr("Cancel"), this);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_restore);
    buttons->addWidget(cancel);
    buttons->addStretch();
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(m_title);
    layout->addWidget(m_text);
    layout->addLayout(buttons);
    connect(m_restore, &QPushButton::clicked, this, [this] { Q_EMIT confirmed(m_branch, m_position); });
    connect(cancel, &QPushButton::clicked, this, &RestorePanel::cancelled);
    hide();
}

void RestorePanel::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape)
        Q_EMIT cancelled();
    else
        QFrame::keyPressEvent(event);
}

QString RestorePanel::consequences() const {
    return m_text->text();
}

void RestorePanel::open(const QString& branch, const QString& position) {
    m_branch = branch;
    m_position = position;
    m_title->setText(tr("Restore %1 to %2").arg(branch, position));
    m_text->setText(tr("Looking at what that would mean…"));
    m_restore->setText(tr("Restore %1").arg(branch));
    m_restore->setEnabled(false);
    show();
    m_session.request(method::timelineResolve, {{"branch", branch}, {"at", position}}, this,
                      [this, position](const Result<QJsonValue>& resolved) {
                          if (position == m_position)
                              showConsequences(resolved);
                      });
}

void RestorePanel::showConsequences(const Result<QJsonValue>& resolved) {
    const StorePicture& picture = m_session.picture();
    const BranchRow* branch = picture.branch(m_branch);
    if (!resolved || !branch) {
        m_text->setText(resolved ? tr("The branch is gone.")
                                 : QString::fromStdString(resolved.error().message()).toHtmlEscaped());
        return;
    }
    if (branch->isProtected) {
        m_text->setText(tr("%1 is protected. Take the protection away first.").arg(m_branch.toHtmlEscaped()));
        return;
    }
    const QJsonObject at = resolved->toObject();
    const Timestamp time = timeFromJson(at["time"]);
    QStringList lines;
    if (at["isHead"].toBool()) {
        m_text->setText(tr("This is the head: there is nothing to take back. Put the cursor earlier."));
        return;
    }
    const QString bytes = bytesDisplay(bytesFromJson(at["walBehindHead"]));
    if (time && branch->headTime >= time)
        lines += tr("Back %1: the last %2 of WAL.").arg(durationDisplay(branch->headTime - time), bytes);
    else
        lines += tr("Back by the last %1 of WAL.").arg(bytes);
    if (branch->state == BranchState::Running)
        lines += branch->sessions > 0
                     ? tr("%n session(s) end; PostgreSQL starts again.", nullptr, branch->sessions)
                     : tr("Its sessions end; PostgreSQL starts again.");
    if (branch->children > 0)
        lines += tr("%n child branch(es) stay as they are.", nullptr, branch->children);
    const Lsn lsn = lsnFromJson(at["lsn"]);
    const auto left = std::ranges::count_if(picture.checkpoints, [&](const CheckpointFacts& checkpoint) {
        return checkpoint.branch == m_branch && !checkpoint.offLine && checkpoint.lsn > lsn;
    });
    if (left > 0)
        lines += tr("%n later checkpoint(s) go off the line.", nullptr, static_cast<int>(left));
    const QString kept = picture.settings.value(QStringLiteral("trash-time"), QStringLiteral("7d"));
    const auto keptFor = parseDuration(kept.toStdString());
    lines += tr("The present head is kept in the trash for %1; Undo brings it back.")
                 .arg(keptFor ? durationDisplay(*keptFor) : kept);
    if (const QString message = at["message"].toString(); !message.isEmpty())
        lines += message.toHtmlEscaped();
    QString list = QStringLiteral("<ul style='margin-left:-24px'>");
    for (const QString& line : lines)
        list += QStringLiteral("<li>%1</li>").arg(line);
    m_text->setText(list + QStringLiteral("</ul>"));
    m_restore->setEnabled(true);
    m_restore->setFocus();
}

} // namespace arbor

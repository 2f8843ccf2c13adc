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
    connect(&session, &StoreSession::pictureChanged, this, [this](StoreSession::Parts parts) {
        if (parts & (StoreSession::Parts(StoreSession::Branches) | StoreSession::Checkpoints |
                     StoreSession::Settings))
            refresh();
    });
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

void RestorePanel::open(const BranchRow& branch, const QString& position) {
    m_branchId = branch.id;
    m_position = position;
    m_askedAt = {};
    m_resolved.reset();
    m_text->setText(tr("Looking at what that would mean…"));
    m_restore->setEnabled(false);
    show();
    refresh();
}

void RestorePanel::refresh() {
    if (isHidden())
        return;
    const BranchRow* branch = m_session.picture().branch(m_branchId);
    if (branch && (m_branch != branch->name || !m_resolved)) {
        m_branch = branch->name;
        m_title->setText(tr("Restore %1 to %2").arg(m_branch, m_position));
        m_restore->setText(tr("Restore %1").arg(m_branch));
    }
    if (m_resolved)
        showConsequences();
    if (branch && m_askedAt != Head{branch->timeline, branch->headLsn})
        ask();
}

// One question at a time: the head of a busy branch moves with every picture.
void RestorePanel::ask() {
    const BranchRow* branch = m_session.picture().branch(m_branchId);
    if (m_asking || !branch)
        return;
    m_asking = true;
    m_askedAt = {branch->timeline, branch->headLsn};
    m_session.request(method::timelineResolve, {{"branch", m_branch}, {"at", m_position}}, this,
                      [this, id = m_branchId, position = m_position](const Result<QJsonValue>& resolved) {
                          m_asking = false;
                          if (id == m_branchId && position == m_position)
                              take(resolved);
                          else
                              refresh(); // it was opened for another point meanwhile
                      });
}

void RestorePanel::take(const Result<QJsonValue>& resolved) {
    const bool first = !m_resolved;
    m_resolved = resolved;
    if (resolved) {
        refresh();
    } else {
        m_askedAt = {}; // with the next picture again
        showConsequences();
    }
    if (first && m_restore->isEnabled() && isVisible())
        m_restore->setFocus();
}

void RestorePanel::showConsequences() {
    const BranchRow* branch = m_session.picture().branch(m_branchId);
    QString problem;
    if (!branch)
        problem = tr("The branch is gone.");
    else if (!*m_resolved)
        problem = QString::fromStdString(m_resolved->error().message()).toHtmlEscaped();
    else if (branch->isProtected)
        problem = tr("%1 is protected. Take the protection away first.").arg(m_branch.toHtmlEscaped());
    else if ((**m_resolved)["isHead"].toBool())
        problem = tr("This is the head: there is nothing to take back. Put the cursor earlier.");
    m_restore->setEnabled(problem.isEmpty());
    if (!problem.isEmpty()) {
        m_text->setText(problem);
        return;
    }
    QString list = QStringLiteral("<ul style='margin-left:-24px'>");
    for (const QString& line : consequencesOf(*branch, (*m_resolved)->toObject()))
        list += QStringLiteral("<li>%1</li>").arg(line);
    m_text->setText(list + QStringLiteral("</ul>"));
}

QStringList RestorePanel::consequencesOf(const BranchRow& branch, const QJsonObject& at) const {
    const StorePicture& picture = m_session.picture();
    const Timestamp time = timeFromJson(at["time"]);
    QStringList lines;
    const QString bytes = bytesDisplay(bytesFromJson(at["walBehindHead"]));
    if (time && branch.headTime >= time)
        lines += tr("Back %1: the last %2 of WAL.").arg(durationDisplay(branch.headTime - time), bytes);
    else
        lines += tr("Back by the last %1 of WAL.").arg(bytes);
    if (branch.state == BranchState::Running) {
        if (!branch.sessions)
            lines += tr("Its sessions end; PostgreSQL starts again.");
        else if (*branch.sessions == 0)
            lines += tr("Nobody is connected; PostgreSQL starts again.");
        else
            lines += tr("%n session(s) end; PostgreSQL starts again.", nullptr, *branch.sessions);
    }
    if (branch.children > 0)
        lines += tr("%n child branch(es) stay as they are.", nullptr, branch.children);
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
    return lines;
}

} // namespace arbor

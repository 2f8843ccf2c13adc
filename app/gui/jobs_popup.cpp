#include "app/gui/jobs_popup.h"

#include "app/gui/symbolic_icon.h"
#include "widgets/models/format.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>
#include <QVBoxLayout>

namespace arbor {

namespace {
constexpr int mostJobs = 8;

QString outcome(const JobFacts& job) {
    const QString took = durationDisplay(job.finishedAt - job.startedAt);
    if (job.state == QLatin1String("done"))
        return JobsPopup::tr("done in %1").arg(took);
    if (job.state == QLatin1String("cancelled"))
        return JobsPopup::tr("cancelled after %1").arg(took);
    return job.error.isEmpty() ? JobsPopup::tr("failed after %1").arg(took) : job.error;
}

} // namespace

JobsPopup::JobsPopup(StoreSession& session, QWidget* parent)
    : QFrame(parent, Qt::Popup), m_session(session), m_rows(new QVBoxLayout(this)) {
    setFrameShape(QFrame::StyledPanel);
    setAccessibleName(tr("Jobs"));
    m_rows->setContentsMargins(12, 12, 12, 12);
    m_rows->setSpacing(10);
    setMinimumWidth(360);
    connect(&session, &StoreSession::pictureChanged, this, [this](StoreSession::Parts parts) {
        if (isVisible() && (parts & StoreSession::Jobs))
            refresh();
    });
}

void JobsPopup::refresh() {
    while (QLayoutItem* item = m_rows->takeAt(0)) {
        if (item->widget())
            item->widget()->deleteLater();
        delete item;
    }
    int shown = 0;
    for (const bool running : {true, false})
        for (const JobFacts& job : m_session.picture().jobs)
            if (job.running() == running && shown++ < mostJobs)
                m_rows->addWidget(makeRow(job));
    if (shown == 0) {
        auto* none = new QLabel(tr("Nothing is being done."), this);
        none->setEnabled(false);
        m_rows->addWidget(none);
    }
    adjustSize();
}

QWidget* JobsPopup::makeRow(const JobFacts& job) {
    auto* row = new QWidget(this);
    auto* title = new QLabel(job.title, row);
    title->setTextFormat(Qt::PlainText);
    auto* text = new QLabel(job.running() ? job.text : outcome(job), row);
    text->setTextFormat(Qt::PlainText);
    text->setForegroundRole(QPalette::PlaceholderText);
    text->setWordWrap(true);
    auto* layout = new QVBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    auto* top = new QHBoxLayout;
    top->addWidget(title, 1);
    if (job.running()) {
        auto* cancel = new QToolButton(row);
        cancel->setIcon(symbolicIcon(QStringLiteral("close")));
        cancel->setAutoRaise(true);
        cancel->setToolTip(tr("Cancel: %1").arg(job.title));
        cancel->setAccessibleName(cancel->toolTip());
        connect(cancel, &QToolButton::clicked, this, [this, id = job.id] { Q_EMIT cancelAsked(id); });
        top->addWidget(cancel);
    }
    layout->addLayout(top);
    if (job.running()) {
        auto* progress = new QProgressBar(row);
        progress->setTextVisible(false);
        progress->setFixedHeight(6);
        progress->setRange(0, job.fraction ? 1000 : 0);
        progress->setValue(static_cast<int>(job.fraction.value_or(0) * 1000));
        progress->setAccessibleName(job.title);
        layout->addWidget(progress);
    }
    layout->addWidget(text);
    return row;
}

} // namespace arbor

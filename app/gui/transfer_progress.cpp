#include "app/gui/transfer_progress.h"

#include "app/control/methods.h"
#include "app/gui/transfer_form.h"

#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

namespace arbor {

namespace {
constexpr int barSteps = 1000;
}

TransferProgress::TransferProgress(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_title(transferTitle(this)), m_bar(new QProgressBar(this)),
      m_text(new QLabel(this)), m_cancel(new QPushButton(tr("Cancel"), this)) {
    m_text->setTextFormat(Qt::PlainText);
    m_text->setWordWrap(true);
    m_text->setObjectName(QStringLiteral("transferText"));
    m_bar->setAccessibleName(tr("Progress"));
    m_cancel->setObjectName(QStringLiteral("transferCancel"));
    m_cancel->setAutoDefault(false);
    auto* hint = new QLabel(tr("It goes on when this is closed; Jobs shows it then."), this);
    hint->setForegroundRole(QPalette::PlaceholderText);
    hint->setWordWrap(true);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_cancel);
    buttons->addStretch();
    auto* layout = transferPage(this, m_title);
    layout->addWidget(m_bar);
    layout->addWidget(m_text);
    layout->addLayout(buttons);
    layout->addSpacing(8);
    layout->addWidget(hint);
    layout->addStretch();
    connect(m_cancel, &QPushButton::clicked, this, &TransferProgress::cancel);
    connect(&m_session, &StoreSession::jobChanged, this, [this](const JobFacts& job) {
        if (m_running && job.id == m_job && job.running())
            show(job);
    });
}

void TransferProgress::announce(const QString& title) {
    m_title->setText(title);
    m_text->clear();
    m_bar->setRange(0, 0);
    m_cancel->setEnabled(false);
}

void TransferProgress::run(const QString& title, const QString& method, const QJsonObject& params,
                           std::function<void(const Result<QJsonValue>&)> ended) {
    m_running = true;
    m_cancelAsked = false;
    m_job = 0;
    m_ended = std::move(ended);
    announce(title);
    m_cancel->setEnabled(true);
    // not followed by the client itself: the job's id is what can be cancelled
    m_session.client().requestRaw(method, params, this, [this](const Result<QJsonValue>& answer) {
        const QJsonValue job = answer ? answer->toObject().value(QLatin1String("job")) : QJsonValue();
        if (job.isDouble())
            follow(static_cast<std::int64_t>(job.toDouble()));
        else
            end(answer);
    });
}

void TransferProgress::follow(std::int64_t job) {
    m_job = job;
    m_session.client().followJob(job, this, [this](const Result<QJsonValue>& result) { end(result); });
    if (m_cancelAsked)
        cancel();
}

void TransferProgress::cancel() {
    m_cancel->setEnabled(false);
    m_text->setText(tr("Cancelling…"));
    m_cancelAsked = true;
    if (m_job != 0)
        m_session.client().requestRaw(method::jobCancel, {{"id", static_cast<qint64>(m_job)}}, this,
                                      [](const auto&) {});
}

void TransferProgress::show(const JobFacts& job) {
    m_bar->setRange(0, job.fraction ? barSteps : 0);
    m_bar->setValue(static_cast<int>(job.fraction.value_or(0) * barSteps));
    if (!m_cancelAsked)
        m_text->setText(job.text);
}

void TransferProgress::end(const Result<QJsonValue>& result) {
    m_running = false;
    if (const auto ended = std::exchange(m_ended, {}))
        ended(result);
}

QString sentencesAsHtml(const QJsonArray& sentences) {
    if (sentences.isEmpty())
        return {};
    QString html = QStringLiteral("<ul style='margin-left:-20px'>");
    for (const QJsonValue& sentence : sentences)
        html +=
            QStringLiteral("<li style='margin-bottom:4px'>%1</li>").arg(sentence.toString().toHtmlEscaped());
    return html + QStringLiteral("</ul>");
}

} // namespace arbor

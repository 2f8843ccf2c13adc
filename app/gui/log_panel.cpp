#include "app/gui/log_panel.h"

#include "app/control/methods.h"
#include "app/gui/symbolic_icon.h"

#include <QClipboard>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QToolButton>
#include <QVBoxLayout>

namespace arbor {

namespace {
constexpr int followEveryMs = 1000;
constexpr int tailBytes = 256 << 10;
} // namespace

LogPanel::LogPanel(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_title(new QLabel(this)), m_text(new QPlainTextEdit(this)) {
    m_title->setTextFormat(Qt::PlainText);
    m_title->setForegroundRole(QPalette::PlaceholderText);
    m_text->setReadOnly(true);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_text->setFrameShape(QFrame::NoFrame);
    m_text->setAccessibleName(tr("Log of the branch's PostgreSQL"));
    m_text->setTabChangesFocus(true);
    auto* copy = new QToolButton(this);
    copy->setIcon(symbolicIcon(QStringLiteral("copy")));
    copy->setAutoRaise(true);
    copy->setToolTip(tr("Copy the log"));
    copy->setAccessibleName(copy->toolTip());
    auto* top = new QHBoxLayout;
    top->addWidget(m_title, 1);
    top->addWidget(copy);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addLayout(top);
    layout->addWidget(m_text);
    m_follow.setInterval(followEveryMs);
    connect(&m_follow, &QTimer::timeout, this, &LogPanel::ask);
    connect(copy, &QToolButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(m_text->toPlainText()); });
    setBranch(0);
}

void LogPanel::setBranch(std::uint64_t branchId) {
    if (branchId == m_branchId && branchId != 0)
        return;
    m_branchId = branchId;
    m_size = -1;
    m_text->clear();
    m_text->setPlaceholderText(branchId == 0 ? tr("Select a branch to see the log of its PostgreSQL.")
                                             : QString());
    m_title->setText({});
    if (isVisible())
        ask();
}

void LogPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    m_follow.start();
    ask();
}

void LogPanel::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    m_follow.stop();
}

void LogPanel::ask() {
    const BranchRow* branch = m_session.picture().branch(m_branchId);
    if (!branch || m_asking || m_session.state() != StoreSession::State::Connected)
        return;
    m_asking = true;
    m_session.request(method::endpointLog, {{"name", branch->name}, {"bytes", tailBytes}}, this,
                      [this, id = branch->id, name = branch->name](const Result<QJsonValue>& result) {
                          m_asking = false;
                          if (id != m_branchId)
                              ask();
                          else if (result)
                              take(name, result->toObject());
                      });
}

void LogPanel::take(const QString& name, const QJsonObject& answer) {
    const qint64 size = answer["size"].toInteger();
    m_title->setText(answer["file"].toString());
    if (size == 0)
        m_text->setPlaceholderText(tr("%1 has not been started yet.").arg(name));
    if (size == m_size)
        return;
    m_size = size;
    QScrollBar* bar = m_text->verticalScrollBar();
    const bool atEnd = bar->value() >= bar->maximum() - 1;
    const int place = bar->value();
    m_text->setPlainText(answer["text"].toString());
    bar->setValue(atEnd ? bar->maximum() : place);
}

} // namespace arbor

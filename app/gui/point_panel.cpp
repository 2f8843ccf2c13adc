#include "app/gui/point_panel.h"

#include "app/control/methods.h"
#include "app/control/position_spec.h"
#include "app/gui/picture_json.h"
#include "app/gui/window_actions.h"
#include "widgets/models/format.h"

#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>
#include <QVBoxLayout>

namespace arbor {

namespace {

QToolButton* buttonFor(QAction* action, QWidget* parent) {
    auto* button = new QToolButton(parent);
    button->setDefaultAction(action);
    button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setAccessibleName(action->text().remove(u'&'));
    return button;
}

} // namespace

PointPanel::PointPanel(StoreSession& session, const WindowActions& actions, QWidget* parent)
    : QFrame(parent), m_session(session), m_title(new QLabel(this)), m_field(new QLineEdit(this)),
      m_facts(new QLabel(this)) {
    QFont bold = font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_title->setBuddy(m_field);
    m_field->setPlaceholderText(tr("LSN, time, -10min, checkpoint:NAME"));
    m_field->setAccessibleName(tr("Position"));
    m_field->setToolTip(
        tr("A position: head, 0/16B3748, 2026-01-31 12:00:00+01, -10min, checkpoint:NAME or xid:N"));
    m_field->setClearButtonEnabled(true);
    m_facts->setWordWrap(true);
    m_facts->setTextFormat(Qt::RichText);
    m_facts->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_facts->setMinimumHeight(fontMetrics().lineSpacing() * 4);
    m_facts->setAlignment(Qt::AlignTop | Qt::AlignLeading);
    auto* buttons = new QGridLayout;
    buttons->addWidget(buttonFor(actions.peek, this), 0, 0);
    buttons->addWidget(buttonFor(actions.branchHere, this), 0, 1);
    buttons->addWidget(buttonFor(actions.checkpoint, this), 1, 0);
    buttons->addWidget(buttonFor(actions.restore, this), 1, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_title);
    layout->addWidget(m_field);
    layout->addWidget(m_facts);
    layout->addLayout(buttons);
    connect(m_field, &QLineEdit::returnPressed, this, [this] {
        const QString text = m_field->text().trimmed();
        if (text.isEmpty() || text == QLatin1String("head"))
            Q_EMIT headChosen();
        else
            tryPosition(m_question.branch, text, true);
    });
}

void PointPanel::setPoint(const QString& branch, const QString& position) {
    m_title->setText(position.isEmpty() ? tr("At the head") : tr("At the cursor"));
    // with a cursor there is a field beside it
    m_field->setVisible(position.isEmpty());
    m_field->clear();
    if (m_question.branch != branch || m_question.position != position)
        m_lsn = Lsn();
    tryPosition(branch, position, false);
}

void PointPanel::refresh(const BranchRow& branch) {
    m_question.branch = branch.name;
    if (m_askedAt == headOf(branch))
        return;
    if (m_asking) {
        m_again = true;
    } else {
        m_question.choose = false; // that has been answered
        ask();
    }
}

void PointPanel::tryPosition(const QString& branch, const QString& position, bool choose) {
    m_question = {branch, position, choose};
    if (branch.isEmpty())
        return;
    if (m_asking)
        m_again = true;
    else
        ask();
}

// One question at a time: while the cursor is dragged only the latest place is of interest.
void PointPanel::ask() {
    const BranchRow* branch = m_session.picture().branch(m_question.branch);
    m_askedAt = branch ? headOf(*branch) : Head();
    const QString position = m_question.position.isEmpty() ? QStringLiteral("head") : m_question.position;
    if (const auto spec = PositionSpec::parse(position.toStdString()); !spec) {
        take(spec.error());
        return;
    }
    m_asking = true;
    m_again = false;
    m_session.request(method::timelineResolve, {{"branch", m_question.branch}, {"at", position}}, this,
                      [this](const Result<QJsonValue>& result) {
                          m_asking = false;
                          if (m_again)
                              ask();
                          else
                              take(result);
                      });
}

void PointPanel::take(const Result<QJsonValue>& result) {
    if (!result) {
        m_lsn = Lsn();
        const QString problem = QString::fromStdString(result.error().message());
        m_facts->setText(problem.toHtmlEscaped());
        Q_EMIT unresolved(problem);
        return;
    }
    const QJsonObject at = result->toObject();
    const QJsonObject commit = at["commitBefore"].toObject();
    const BranchRow* branch = m_session.picture().branch(m_question.branch);
    ResolvedPosition position;
    position.lsn = lsnFromJson(at["lsn"]);
    position.time = timeFromJson(at["time"]);
    if (const Lsn lsn = lsnFromJson(commit["lsn"]))
        position.commitLsn = lsn;
    position.commitXid = static_cast<std::uint32_t>(commit["xid"].toInteger());
    position.commitTime = timeFromJson(commit["time"]);
    position.walBehindHead = bytesFromJson(at["walBehindHead"]);
    position.headTime = branch ? branch->headTime : Timestamp();
    position.isHead = at["isHead"].toBool();
    position.message = at["message"].toString();
    m_lsn = position.lsn;
    showFacts(position);
    Q_EMIT resolved(position);
    if (m_question.choose)
        Q_EMIT positionChosen(m_question.position, m_lsn);
}

void PointPanel::showFacts(const ResolvedPosition& position) {
    QStringList lines{QStringLiteral("<b>%1</b>").arg(lsnDisplay(position.lsn).toHtmlEscaped())};
    if (position.time)
        lines += tr("Last commit %1").arg(timeDisplay(position.time).toHtmlEscaped());
    if (!position.isHead) {
        const QString bytes = bytesDisplay(position.walBehindHead);
        if (position.time && position.headTime > position.time)
            lines += tr("%1 and %2 of WAL behind the head")
                         .arg(durationDisplay(position.headTime - position.time), bytes);
        else
            lines += tr("%1 of WAL behind the head").arg(bytes);
    }
    if (!position.message.isEmpty())
        lines += position.message.toHtmlEscaped();
    m_facts->setText(lines.join(QStringLiteral("<br>")));
}

} // namespace arbor

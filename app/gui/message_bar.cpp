#include "app/gui/message_bar.h"

#include "app/gui/symbolic_icon.h"
#include "widgets/views/theme.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

namespace arbor {

namespace {
constexpr int doneForMs = 12'000;
}

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent), m_icon(new QLabel(this)), m_text(new QLabel(this)), m_action(new QPushButton(this)),
      m_second(new QPushButton(this)) {
    setObjectName(QStringLiteral("messageBar"));
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_text->setTextFormat(Qt::PlainText);
    m_action->setObjectName(QStringLiteral("messageAction"));
    m_action->setFocusPolicy(Qt::TabFocus); // a click hides it: the focus stays where the person works
    m_second->setFocusPolicy(Qt::TabFocus);
    m_second->hide();
    auto* close = new QToolButton(this);
    close->setIcon(symbolicIcon(QStringLiteral("close")));
    close->setAutoRaise(true);
    close->setFocusPolicy(Qt::TabFocus);
    close->setToolTip(tr("Close this message"));
    close->setAccessibleName(close->toolTip());
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 4, 6, 4);
    layout->addWidget(m_icon);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_second);
    layout->addWidget(m_action);
    layout->addWidget(close);
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    connect(m_action, &QPushButton::clicked, this, [this] {
        hide();
        if (const auto act = std::exchange(m_act, {}))
            act();
    });
    connect(m_second, &QPushButton::clicked, this, [this] {
        if (m_actSecond)
            m_actSecond();
    });
    m_timer.setSingleShot(true);
    m_timer.setInterval(doneForMs);
    connect(&m_timer, &QTimer::timeout, this, &QWidget::hide);
    hide();
}

QString MessageBar::text() const {
    return m_text->text();
}

void MessageBar::drawIcon() {
    const QString icon = m_kind == Kind::Done   ? QStringLiteral("good")
                         : m_kind == Kind::Hint ? QStringLiteral("information")
                                                : QStringLiteral("warning");
    const Theme theme(palette());
    const QColor colour = m_kind == Kind::Problem ? theme.caution : theme.accent;
    m_icon->setPixmap(symbolicIcon(icon, colour).pixmap(QSize(16, 16), devicePixelRatioF()));
}

void MessageBar::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        drawIcon();
}

void MessageBar::show(Kind kind, const QString& text, const QString& actionText,
                      std::function<void()> action) {
    m_kind = kind;
    drawIcon();
    m_text->setText(text);
    m_second->hide();
    m_action->setVisible(bool(action));
    m_action->setText(actionText);
    m_act = std::move(action);
    setVisible(true);
    if (kind == Kind::Done)
        m_timer.start();
    else
        m_timer.stop();
}

void MessageBar::offer(const QString& actionText, std::function<void()> action) {
    m_second->setText(actionText);
    m_actSecond = std::move(action);
    m_second->show();
}

} // namespace arbor

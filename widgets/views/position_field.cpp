#include "widgets/views/position_field.h"

#include "widgets/models/format.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>

#include <algorithm>

namespace arbor {

PositionField::PositionField(QWidget* parent)
    : QWidget(parent), m_line(new QLineEdit(this)), m_label(new QLabel(this)),
      m_theme(QApplication::palette()) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(4, 2, 10, 2);
    layout->setSpacing(8);
    layout->addWidget(m_line);
    layout->addWidget(m_label, 1);
    m_line->setFrame(false);
    m_line->setFixedWidth(m_line->fontMetrics().horizontalAdvance(QStringLiteral("0/00000000")) + 14);
    m_line->setPlaceholderText(tr("Position"));
    m_line->setAccessibleName(tr("Position of the cursor"));
    m_line->setToolTip(tr("An LSN, a time with zone, -10min, head, checkpoint:NAME or xid:N"));
    m_line->installEventFilter(this);
    m_label->setTextFormat(Qt::PlainText);
    m_label->setMinimumWidth(0);
    m_label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_pause.setSingleShot(true);
    m_pause.setInterval(250);
    connect(&m_pause, &QTimer::timeout, this, [this] { Q_EMIT typed(m_line->text().trimmed(), false); });
    connect(m_line, &QLineEdit::textEdited, this, [this] { m_pause.start(); });
    connect(m_line, &QLineEdit::returnPressed, this, [this] {
        m_pause.stop();
        Q_EMIT typed(m_line->text().trimmed(), true);
    });
    setTheme(m_theme);
}

void PositionField::setTheme(const Theme& theme) {
    m_theme = theme;
    QPalette line = m_line->palette();
    line.setColor(QPalette::Base, Qt::transparent);
    line.setColor(QPalette::Text, theme.text);
    m_line->setPalette(line);
    m_label->setFont(captionFont(font()));
    showExplanation();
    update();
}

QString PositionField::text() const {
    return m_line->text();
}

QString PositionField::explanation() const {
    return m_full;
}

QSize PositionField::sizeHint() const {
    const int words = std::clamp(m_label->fontMetrics().horizontalAdvance(m_short.value(0)), 60, 420);
    return {m_line->width() + words + 30, 29};
}

void PositionField::clear() {
    m_pause.stop();
    m_line->clear();
    m_full.clear();
    m_short.clear();
    m_problem = false;
    showExplanation();
}

void PositionField::setResolved(const ResolvedPosition& position) {
    if (!m_line->hasFocus() || !m_line->isModified()) {
        m_line->setText(lsnDisplay(position.lsn));
        m_line->setCursorPosition(0);
    }
    const QString bytes = bytesDisplay(position.walBehindHead);
    QStringList behind{tr("%1 behind head").arg(bytes), tr("%1 behind").arg(bytes)};
    if (position.isHead)
        behind = {tr("head")};
    else if (position.headTime && position.time)
        behind.prepend(
            tr("%1, %2 behind head").arg(bytes, durationDisplay(position.headTime - position.time)));
    m_short = behind;
    if (position.time)
        m_short = QStringList{tr("%1  ·  %2").arg(timeDisplay(position.time), behind.front()),
                              tr("%1 · %2").arg(timeDisplay(position.time), behind.back())} +
                  behind;
    m_full = lsnDisplay(position.lsn) + QLatin1Char('\n') + m_short.front();
    if (position.commitLsn)
        m_full += QLatin1Char('\n') + tr("after commit of transaction %1 at %2")
                                          .arg(position.commitXid)
                                          .arg(timeDisplay(position.commitTime));
    if (!position.message.isEmpty())
        m_full += QLatin1Char('\n') + position.message;
    m_problem = false;
    showExplanation();
}

void PositionField::setProblem(const QString& text) {
    m_short = {text};
    m_full = text;
    m_problem = true;
    showExplanation();
}

void PositionField::showExplanation() {
    QPalette palette = m_label->palette();
    palette.setColor(QPalette::WindowText, m_problem ? m_theme.danger : m_theme.muted);
    m_label->setPalette(palette);
    // less, and whole, rather than cut off: the tool tip has everything
    const QFontMetrics metrics = m_label->fontMetrics();
    const int room = std::max(m_label->width(), 10);
    QString shown;
    for (const QString& text : m_short)
        if (shown = text; metrics.horizontalAdvance(text) <= room)
            break;
    m_label->setText(metrics.elidedText(shown, Qt::ElideRight, room));
    m_label->setToolTip(m_full);
    m_label->setAccessibleName(m_full);
    m_line->setAccessibleDescription(m_full);
    updateGeometry();
}

void PositionField::focusForTyping() {
    show();
    m_line->setFocus(Qt::ShortcutFocusReason);
    m_line->selectAll();
}

bool PositionField::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        m_pause.stop();
        m_line->setModified(false);
        Q_EMIT left();
        return true;
    }
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut)
        update();
    return QWidget::eventFilter(watched, event);
}

void PositionField::resizeEvent(QResizeEvent*) {
    showExplanation();
}

void PositionField::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_line->hasFocus() ? m_theme.accent : m_theme.line, m_line->hasFocus() ? 1.5 : 1));
    painter.setBrush(m_theme.ground);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.75, 0.75, -0.75, -0.75), 6, 6);
}

} // namespace arbor

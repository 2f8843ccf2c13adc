#include "app/gui/name_popup.h"

#include "storage/base/units.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

NamePopup::NamePopup(QWidget* parent)
    : QFrame(parent), m_title(new QLabel(this)), m_name(new QLineEdit(this)),
      m_expiryLabel(new QLabel(tr("Expires after"), this)), m_expiry(new QLineEdit(this)),
      m_fault(new QLabel(this)), m_accept(new QPushButton(this)) {
    setObjectName(QStringLiteral("namePopup"));
    setFrameShape(QFrame::StyledPanel);
    setFrameShadow(QFrame::Raised);
    setAutoFillBackground(true);
    QFont bold = font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_name->setAccessibleName(tr("Name"));
    m_name->setMinimumWidth(280);
    m_expiry->setAccessibleName(tr("Expires after"));
    m_expiry->setPlaceholderText(tr("never (or 7d, 12h …)"));
    m_expiryLabel->setBuddy(m_expiry);
    m_fault->setWordWrap(true);
    m_fault->setMinimumHeight(fontMetrics().lineSpacing());
    auto* cancel = new QPushButton(tr("Cancel"), this);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_accept);
    buttons->addWidget(cancel);
    buttons->addStretch();
    auto* expiry = new QHBoxLayout;
    expiry->addWidget(m_expiryLabel);
    expiry->addWidget(m_expiry, 1);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(m_title);
    layout->addWidget(m_name);
    layout->addLayout(expiry);
    layout->addWidget(m_fault);
    layout->addLayout(buttons);
    connect(m_name, &QLineEdit::textChanged, this, &NamePopup::check);
    connect(m_expiry, &QLineEdit::textChanged, this, &NamePopup::check);
    connect(m_name, &QLineEdit::returnPressed, this, &NamePopup::take);
    connect(m_expiry, &QLineEdit::returnPressed, this, &NamePopup::take);
    connect(m_accept, &QPushButton::clicked, this, &NamePopup::take);
    connect(cancel, &QPushButton::clicked, this, &QWidget::hide);
    hide();
}

void NamePopup::ask(Question question, std::optional<QPoint> at) {
    m_before = QApplication::focusWidget();
    m_question = std::move(question);
    m_title->setText(m_question.title);
    m_accept->setText(m_question.button);
    m_expiry->clear();
    m_expiry->setVisible(m_question.withExpiry);
    m_expiryLabel->setVisible(m_question.withExpiry);
    m_name->setText(m_question.name);
    m_name->selectAll();
    check();
    adjustSize();
    const QRect room = parentWidget()->rect().adjusted(8, 8, -8, -8);
    QPoint place = at.value_or(QPoint((room.width() - width()) / 2, room.height() / 5));
    place.setX(std::clamp(place.x(), room.left(), std::max(room.left(), room.right() - width())));
    place.setY(std::clamp(place.y(), room.top(), std::max(room.top(), room.bottom() - height())));
    move(place);
    show();
    raise();
    m_name->setFocus();
}

void NamePopup::check() {
    QString fault = m_question.fault ? m_question.fault(m_name->text()) : QString();
    if (fault.isEmpty() && m_question.withExpiry && !m_expiry->text().trimmed().isEmpty())
        if (const auto after = parseDuration(m_expiry->text().trimmed().toStdString()); !after)
            fault = QString::fromStdString(after.error().message());
    m_fault->setText(m_name->text().isEmpty() ? QString() : fault);
    m_accept->setEnabled(fault.isEmpty());
}

void NamePopup::take() {
    check();
    if (!m_accept->isEnabled())
        return;
    const Question question = m_question;
    const QString name = m_name->text(), expires = m_expiry->text().trimmed();
    hide();
    question.accept(name, expires);
}

void NamePopup::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape)
        hide();
    else
        QFrame::keyPressEvent(event);
}

void NamePopup::hideEvent(QHideEvent* event) {
    QFrame::hideEvent(event);
    if (m_before && m_before->isVisible())
        m_before->setFocus();
}

} // namespace arbor

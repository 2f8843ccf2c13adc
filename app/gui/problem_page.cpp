#include "app/gui/problem_page.h"

#include "app/gui/symbolic_icon.h"
#include "widgets/views/theme.h"

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace arbor {

ProblemPage::ProblemPage(QWidget* parent)
    : QWidget(parent), m_icon(new QLabel(this)), m_title(new QLabel(this)), m_text(new QLabel(this)),
      m_details(new QLabel(this)), m_command(new QLineEdit(this)),
      m_copy(new QPushButton(symbolicIcon(QStringLiteral("copy")), tr("Copy command"), this)) {
    drawIcon();
    QFont large = font();
    large.setPointSizeF(large.pointSizeF() * 1.5);
    large.setBold(true);
    m_title->setFont(large);
    m_title->setWordWrap(true);
    m_text->setWordWrap(true);
    m_details->setWordWrap(true);
    m_details->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_details->setTextFormat(Qt::PlainText);
    m_details->setForegroundRole(QPalette::PlaceholderText);
    m_command->setReadOnly(true);
    m_command->setAccessibleName(tr("Command"));
    auto* command = new QHBoxLayout;
    command->addWidget(m_command, 1);
    command->addWidget(m_copy);
    auto* retry = new QPushButton(symbolicIcon(QStringLiteral("reset")), tr("Try again"), this);
    retry->setObjectName(QStringLiteral("retry"));
    auto* other = new QPushButton(symbolicIcon(QStringLiteral("open")), tr("Open another store…"), this);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(retry);
    buttons->addWidget(other);
    buttons->addStretch();
    auto* column = new QWidget(this);
    column->setMaximumWidth(620);
    auto* layout = new QVBoxLayout(column);
    layout->addStretch(2);
    layout->addWidget(m_icon);
    layout->addWidget(m_title);
    layout->addWidget(m_text);
    layout->addLayout(command);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    layout->addSpacing(8);
    layout->addWidget(m_details);
    layout->addStretch(3);
    auto* outer = new QHBoxLayout(this);
    outer->addStretch(1);
    outer->addWidget(column, 100);
    outer->addStretch(1);
    connect(m_copy, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(m_command->text()); });
    connect(retry, &QPushButton::clicked, this, &ProblemPage::retryAsked);
    connect(other, &QPushButton::clicked, this, &ProblemPage::openOtherAsked);
}

void ProblemPage::drawIcon() {
    m_icon->setPixmap(symbolicIcon(QStringLiteral("warning"), Theme(palette()).caution)
                          .pixmap(QSize(48, 48), devicePixelRatioF()));
}

void ProblemPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        drawIcon();
}

QString ProblemPage::title() const {
    return m_title->text();
}

void ProblemPage::setProblem(const Problem& problem) {
    m_title->setText(problem.title);
    m_text->setText(problem.text);
    m_details->setText(problem.details);
    m_details->setVisible(!problem.details.isEmpty());
    m_command->setText(problem.command);
    m_command->setVisible(!problem.command.isEmpty());
    m_copy->setVisible(!problem.command.isEmpty());
}

} // namespace arbor

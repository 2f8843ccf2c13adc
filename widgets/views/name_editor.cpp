#include "widgets/views/name_editor.h"

#include <QApplication>
#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPainter>
#include <QRegularExpression>
#include <QToolTip>

namespace arbor {

NameEditor::NameEditor(Purpose purpose, const QString& proposal, const Theme& theme, QWidget* parent)
    : QWidget(parent), m_line(new QLineEdit(proposal, this)), m_theme(theme) {
    const bool branch = purpose == Purpose::Branch;
    setAccessibleName(branch ? tr("New branch") : tr("New checkpoint"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(6, 1, 4, 1);
    layout->setSpacing(6);
    layout->addWidget(m_line, 1);
    m_line->setFrame(false);
    m_line->setAccessibleName(branch ? tr("Name of the new branch") : tr("Name of the new checkpoint"));
    m_line->setPlaceholderText(branch ? tr("Branch name") : tr("Checkpoint name"));
    QPalette palette = m_line->palette();
    palette.setColor(QPalette::Base, Qt::transparent);
    m_line->setPalette(palette);
    m_line->selectAll();
    m_line->installEventFilter(this);
    if (branch) {
        m_expiry = new QComboBox(this);
        m_expiry->setFrame(false);
        m_expiry->setAccessibleName(tr("When the new branch expires"));
        m_expiry->addItem(tr("never expires"), QString());
        m_expiry->addItem(tr("expires in 1 h"), QStringLiteral("1h"));
        m_expiry->addItem(tr("expires in 1 d"), QStringLiteral("1d"));
        m_expiry->addItem(tr("expires in 7 d"), QStringLiteral("7d"));
        m_expiry->addItem(tr("expires in 30 d"), QStringLiteral("30d"));
        m_expiry->installEventFilter(this);
        layout->addWidget(m_expiry);
    }
    setFocusProxy(m_line);
}

QString NameEditor::name() const {
    return m_line->text().trimmed();
}

QString NameEditor::expiry() const {
    return m_expiry == nullptr ? QString() : m_expiry->currentData().toString();
}

bool NameEditor::isValidName(const QString& name) {
    static const QRegularExpression form(QStringLiteral("\\A[A-Za-z0-9][A-Za-z0-9._/-]{0,62}\\z"));
    if (!form.match(name).hasMatch())
        return false;
    for (const QString& part : name.split(QLatin1Char('/')))
        if (part.isEmpty() || part == QLatin1String(".") || part == QLatin1String(".."))
            return false;
    return true;
}

void NameEditor::setProblem(const QString& text) {
    m_done = false;
    setEnabled(true);
    m_line->setFocus();
    m_line->setAccessibleDescription(text);
    QToolTip::showText(mapToGlobal(QPoint(0, height())), text, this);
}

void NameEditor::accept() {
    if (m_done)
        return;
    if (!isValidName(name())) {
        setProblem(tr("Letters, digits and - _ . / only, beginning with a letter or digit, at most 63"));
        return;
    }
    m_done = true;
    Q_EMIT accepted(name(), expiry());
}

bool NameEditor::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride) {
        event->accept(); // every key is the editor's
        return true;
    }
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            accept();
            return true;
        }
        if (key == Qt::Key_Escape && !m_done) {
            m_done = true;
            Q_EMIT cancelled();
            return true;
        }
    }
    if (event->type() == QEvent::FocusOut && !m_done) {
        const auto reason = static_cast<QFocusEvent*>(event)->reason();
        const QWidget* next = QApplication::focusWidget();
        if (reason == Qt::MouseFocusReason && next != nullptr && !isAncestorOf(next)) {
            m_done = true;
            Q_EMIT cancelled();
        }
    }
    return QWidget::eventFilter(watched, event);
}

void NameEditor::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_theme.accent, 1.5));
    painter.setBrush(m_theme.ground);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.75, 0.75, -0.75, -0.75), 5, 5);
}

} // namespace arbor

#include "app/gui/wait_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QVBoxLayout>

namespace arbor {

WaitPage::WaitPage(QWidget* parent)
    : QWidget(parent), m_title(new QLabel(this)), m_text(new QLabel(this)),
      m_progress(new QProgressBar(this)) {
    QFont large = font();
    large.setPointSizeF(large.pointSizeF() * 1.3);
    large.setBold(true);
    m_title->setFont(large);
    m_title->setAlignment(Qt::AlignCenter);
    m_text->setAlignment(Qt::AlignCenter);
    m_text->setMinimumHeight(fontMetrics().lineSpacing());
    m_progress->setTextVisible(false);
    m_progress->setFixedWidth(320);
    m_progress->setAccessibleName(tr("Progress"));
    auto* layout = new QVBoxLayout(this);
    layout->addStretch(2);
    layout->addWidget(m_title);
    layout->addSpacing(8);
    layout->addWidget(m_progress, 0, Qt::AlignHCenter);
    layout->addWidget(m_text);
    layout->addStretch(3);
}

void WaitPage::setProgress(const QString& title, const QString& text, double fraction) {
    m_title->setText(title);
    m_text->setText(text);
    m_progress->setRange(0, fraction < 0 ? 0 : 1000);
    if (fraction >= 0)
        m_progress->setValue(static_cast<int>(fraction * 1000));
}

} // namespace arbor

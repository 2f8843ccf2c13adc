#include "app/gui/first_run_page.h"

#include "app/gui/symbolic_icon.h"
#include "widgets/views/theme.h"

#include <QAction>
#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

namespace arbor {

namespace {

constexpr int leastWidth = 190; // of a card
constexpr int spacing = 16;

// Flat, with a line that answers to the pointer and the keyboard.
class Card final : public QPushButton {
  public:
    explicit Card(QWidget* parent) : QPushButton(parent) { setAttribute(Qt::WA_Hover); }
    QSize sizeHint() const override { return layout() ? layout()->sizeHint() : QPushButton::sizeHint(); }

  protected:
    void paintEvent(QPaintEvent*) override {
        const Theme theme(palette());
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const bool hot = underMouse() || hasFocus();
        painter.setPen(QPen(hot ? theme.accent : theme.line, hot ? 2 : 1));
        painter.setBrush(isDown() ? theme.selection : theme.ground);
        painter.drawRoundedRect(QRectF(rect()).adjusted(1.5, 1.5, -1.5, -1.5), 10, 10);
    }
};

} // namespace

FirstRunPage::FirstRunPage(QAction* demo, QAction* newCluster, QAction* import, QAction* openStore,
                           QWidget* parent)
    : QWidget(parent), m_grid(new QGridLayout), m_place(new QLabel(this)) {
    auto* mark = new QLabel(this);
    mark->setPixmap(
        QIcon(QStringLiteral(":/org.pgarbor.PgArbor.svg")).pixmap(QSize(88, 88), devicePixelRatioF()));
    mark->setAlignment(Qt::AlignCenter);
    auto* title = new QLabel(tr("Branches for PostgreSQL"), this);
    QFont large = font();
    large.setPointSizeF(large.pointSizeF() * 1.9);
    large.setBold(true);
    title->setFont(large);
    title->setAlignment(Qt::AlignCenter);
    auto* subtitle = new QLabel(
        tr("Fork a database in an instant, look at any moment of its past, and go back to it."), this);
    subtitle->setAlignment(Qt::AlignCenter);
    subtitle->setWordWrap(true);
    m_grid->setSpacing(spacing);
    m_cards = {
        card(demo, QStringLiteral("demo"), tr("Try the demo"),
             tr("A small bank with two branches, some checkpoints, and a DROP TABLE to go back before.")),
        card(newCluster, QStringLiteral("store"), tr("New cluster"),
             tr("An empty PostgreSQL database with the branch main, ready for your own data.")),
        card(import, QStringLiteral("import"), tr("Bring your own database"),
             tr("A data directory, a running server or a dump, beside an empty main.")),
        card(openStore, QStringLiteral("open"), tr("Open a store"),
             tr("A store that is somewhere else on this machine."))};
    placeCards(4);
    drawPictures();
    m_place->setAlignment(Qt::AlignCenter);
    m_place->setForegroundRole(QPalette::PlaceholderText);
    m_place->setWordWrap(true);
    auto* column = new QWidget(this);
    column->setMaximumWidth(960);
    auto* layout = new QVBoxLayout(column);
    layout->addStretch(2);
    layout->addWidget(mark);
    layout->addSpacing(8);
    layout->addWidget(title);
    layout->addWidget(subtitle);
    layout->addSpacing(24);
    layout->addLayout(m_grid);
    layout->addSpacing(12);
    layout->addWidget(m_place);
    layout->addStretch(3);
    auto* outer = new QHBoxLayout(this);
    outer->addStretch(1);
    outer->addWidget(column, 100);
    outer->addStretch(1);
}

QPushButton* FirstRunPage::card(QAction* action, const QString& icon, const QString& title,
                                const QString& text) {
    auto* button = new Card(this);
    button->setObjectName(QStringLiteral("card"));
    button->setAccessibleName(title);
    button->setAccessibleDescription(text);
    button->setMinimumWidth(leastWidth);
    QSizePolicy even(QSizePolicy::Ignored, QSizePolicy::Preferred); // none wider than its neighbours
    even.setHorizontalStretch(1);
    button->setSizePolicy(even);
    auto* picture = new QLabel(button);
    m_pictures.append({picture, icon});
    auto* heading = new QLabel(title, button);
    QFont bold = font();
    bold.setBold(true);
    bold.setPointSizeF(bold.pointSizeF() * 1.2);
    heading->setFont(bold);
    auto* body = new QLabel(text, button);
    body->setWordWrap(true);
    body->setAlignment(Qt::AlignTop | Qt::AlignLeading);
    auto* layout = new QVBoxLayout(button);
    layout->setContentsMargins(20, 20, 20, 20);
    for (QLabel* label : {picture, heading, body}) {
        label->setAttribute(Qt::WA_TransparentForMouseEvents);
        layout->addWidget(label);
    }
    layout->addStretch();
    heading->setWordWrap(true);
    connect(button, &QPushButton::clicked, action, &QAction::trigger);
    return button;
}

// Two by two where four have no room beside each other.
void FirstRunPage::placeCards(int columns) {
    if (std::exchange(m_columns, columns) == columns)
        return;
    for (int i = 0; i < m_cards.size(); ++i) {
        m_cards[i]->setMinimumHeight(columns == 2 ? 140 : 190); // wider texts are lower
        m_grid->addWidget(m_cards[i], i / columns, i % columns);
    }
}

void FirstRunPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    placeCards(width() < 4 * (leastWidth + spacing) + spacing ? 2 : 4);
}

void FirstRunPage::drawPictures() {
    for (const auto& [picture, icon] : m_pictures)
        picture->setPixmap(
            symbolicIcon(icon, Theme(palette()).accent).pixmap(QSize(36, 36), devicePixelRatioF()));
}

void FirstRunPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        drawPictures();
}

void FirstRunPage::setStore(const QString& directory) {
    m_place->setText(tr("A new store is made in %1").arg(directory));
}

} // namespace arbor

// What can be seen of the window's parts, without an engine.
#include "app/gui/appearance.h"
#include "app/gui/command_palette.h"
#include "app/gui/first_run_page.h"
#include "app/gui/looks.h"
#include "app/gui/relations_panel.h"
#include "widgets/views/theme.h"

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QTest>
#include <QTreeView>

#include <algorithm>

using namespace arbor;

class LooksTest : public QObject {
    Q_OBJECT

    // Of all points of the part against the ground: its lines.
    static double bestContrast(QWidget& widget, const QRect& part) {
        const QImage image = widget.grab().toImage();
        const QColor ground = widget.palette().color(QPalette::Base);
        double best = 1;
        for (int y = part.top(); y <= part.bottom(); ++y)
            for (int x = part.left(); x <= part.right(); ++x)
                best = std::max(best, contrastRatio(image.pixelColor(x, y), ground));
        return best;
    }

  private Q_SLOTS:
    void cleanup() { applyAppearance(QStringLiteral("light")); }

    void BoxesAndFieldsHaveOutlinesOnEveryGround() {
        for (const char* look : {"light", "dark"}) {
            applyAppearance(QLatin1String(look));
            QLineEdit field;
            field.resize(120, 24);
            QVERIFY2(bestContrast(field, {0, 8, 2, 4}) >= 1.8, look);
            QCheckBox box;
            box.resize(24, 24);
            QVERIFY2(bestContrast(box, box.rect()) >= 1.8, look);
        }
    }

    void WhatIsDisabledIsNoBrighter() {
        for (const char* look : {"light", "dark"}) {
            applyAppearance(QLatin1String(look));
            const QPalette palette = QApplication::palette();
            const auto contrast = [&](QPalette::ColorGroup group) {
                return contrastRatio(palette.color(group, QPalette::PlaceholderText),
                                     palette.color(group, QPalette::Base));
            };
            QVERIFY2(contrast(QPalette::Disabled) < contrast(QPalette::Active), look);
        }
    }

    void EntriesOfThePaletteStandAlike() {
        QPixmap picture(16, 16);
        picture.fill(Qt::black);
        CommandPalette palette;
        palette.open({{"first", {}, QIcon(picture), [] {}}, {"second", {}, {}, [] {}}});
        auto* list = palette.findChild<QListWidget*>();
        QCOMPARE(list->count(), 2);
        QVERIFY(!list->item(1)->icon().isNull()); // its text begins where the other's does
        const int height = list->visualItemRect(list->item(0)).height();
        palette.findChild<QLineEdit*>()->setText("second");
        QCOMPARE(list->count(), 1);
        QCOMPARE(list->visualItemRect(list->item(0)).height(), height);
    }

    void CardsStandBesideEachOtherInEveryWindow() {
        QAction action;
        FirstRunPage page(&action, &action, &action, &action);
        page.show();
        for (const int width : {1280, 760, 500, 1024}) {
            page.resize(width, 560);
            QTest::qWait(0);
            const auto cards = page.findChildren<QPushButton*>(QStringLiteral("card"));
            QCOMPARE(cards.size(), 4);
            for (qsizetype i = 0; i < cards.size(); ++i) {
                const QRect card(cards[i]->mapTo(&page, QPoint()), cards[i]->size());
                QVERIFY(page.rect().contains(card));
                for (qsizetype k = 0; k < i; ++k)
                    QVERIFY(!card.intersects(QRect(cards[k]->mapTo(&page, QPoint()), cards[k]->size())));
            }
        }
    }

    void NamesOfRelationsKeepTheirRoom() {
        StoreSession session(StoreSession::Options{QStringLiteral("/no/store"), {}, {}});
        RelationsPanel panel(session);
        panel.show();
        const auto* header = panel.list()->header();
        const auto name = [&](int width) {
            panel.resize(width, 180);
            QTest::qWait(0);
            return header->sectionSize(RelationsModel::Name);
        };
        const int least = 18 * panel.fontMetrics().horizontalAdvance(QLatin1Char('0'));
        QVERIFY(name(400) >= least);
        QVERIFY(name(1400) > name(1000)); // and take what there is
        QCOMPARE(header->length(), header->viewport()->width());
    }

    void ALineThatIsTooLongEndsInAnEllipsis() {
        ElidedLabel label;
        label.setText("Drag over the plot to measure");
        label.resize(90, 20);
        const QImage cut = label.grab().toImage();
        label.setText(label.fontMetrics().elidedText(label.text(), Qt::ElideRight, 90));
        QVERIFY(label.text().endsWith(QChar(0x2026)));
        QCOMPARE(label.grab().toImage(), cut);
        QCOMPARE(label.sizePolicy().horizontalPolicy(), QSizePolicy::Ignored);
    }
};

QTEST_MAIN(LooksTest)
#include "looks_test.moc"

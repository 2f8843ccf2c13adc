// The map of a relation's pages: where its cells lie, what they say, and that mouse and keyboard reach all.
#include "tests/widgets/views_support.h"
#include "widgets/views/page_map_view.h"
#include "widgets/views/theme.h"

#include <QSignalSpy>
#include <QTest>

#include <set>

using namespace arbor;
using namespace arbor::test;

namespace {

PageMapCells cellsOf(int count, std::uint64_t perCell = 1) {
    PageMapCells cells;
    cells.blocks = static_cast<std::uint64_t>(count) * perCell;
    cells.perCell = perCell;
    cells.sources = {{"staging", 2, 3}, {"main", 1, 5}};
    for (int cell = 0; cell < count; ++cell)
        cells.cells.push_back(cell % 3 - 1);
    return cells;
}

struct Map : PageMapView {
    explicit Map(int count, std::uint64_t perCell = 1) {
        resize(300, 160);
        setCells(cellsOf(count, perCell));
        show();
    }
};

} // namespace

class ViewsPagesTest : public QObject {
    Q_OBJECT
  private slots:
    void initTestCase() { QApplication::setPalette(lightPalette()); }

    void everyCellHasItsPlace() {
        for (const int count : {1, 7, 600, 2048}) {
            Map map(count);
            std::set<std::pair<int, int>> places;
            for (int cell = 0; cell < count; ++cell) {
                const QRect rect = map.cellRect(cell);
                QVERIFY(map.rect().contains(rect));
                places.insert({rect.x(), rect.y()});
            }
            QCOMPARE(places.size(), static_cast<std::size_t>(count));
        }
    }

    void aCellIsPaintedInTheColourOfItsSource() {
        for (const QPalette& palette : {lightPalette(), darkPalette()}) {
            Map map(30);
            map.setPalette(palette);
            const QImage image = map.grab().toImage();
            const double ratio = image.devicePixelRatio();
            for (int cell = 0; cell < 30; ++cell)
                QCOMPARE(image.pixelColor((QPointF(map.cellRect(cell).center()) * ratio).toPoint()).name(),
                         map.colour(cell % 3 - 1).name());
            // the branch's own stands out from what is shared, and both from what is not there
            QVERIFY(contrastRatio(map.colour(0), map.colour(1)) > 1.4);
            QVERIFY(contrastRatio(map.colour(0), map.colour(-1)) > 2.5);
            QVERIFY(contrastRatio(map.colour(1), map.colour(-1)) > 1.2);
        }
    }

    void aCellSaysWhatItIs() {
        QCOMPARE(Map(6).cellText(0), QString("Block 0, never written"));
        QCOMPARE(Map(6).cellText(1), QString("Block 1, from staging"));
        QCOMPARE(Map(6).cellText(2), QString("Block 2, from main"));
        Map many(6, 16);
        QCOMPARE(many.cellText(1), QString("Blocks 16 to 31, some written on staging"));
        QCOMPARE(many.cellText(2), QString("Blocks 32 to 47, from main"));
    }

    void mouseAndKeyboardReachACell() {
        Map map(100);
        QSignalSpy activated(&map, &PageMapView::activated);
        QTest::mouseClick(&map, Qt::LeftButton, {}, map.cellRect(42).center());
        QCOMPARE(map.current(), 42);
        QCOMPARE(activated.size(), 1);
        QCOMPARE(map.accessibleDescription(), map.cellText(42));
        QTest::mouseClick(&map, Qt::LeftButton, {}, QPoint(299, 159)); // behind the last one
        QCOMPARE(activated.size(), 1);
        QTest::keyClick(&map, Qt::Key_Right);
        QTest::keyClick(&map, Qt::Key_Up);
        QCOMPARE(map.cellRect(map.current()).x(), map.cellRect(43).x());
        QVERIFY(map.current() < 43);
        QTest::keyClick(&map, Qt::Key_End);
        QTest::keyClick(&map, Qt::Key_Right); // stays
        QCOMPARE(map.current(), 99);
        QTest::keyClick(&map, Qt::Key_Home);
        QTest::keyClick(&map, Qt::Key_Return);
        QCOMPARE(activated.size(), 2);
        QCOMPARE(activated.last().first().toInt(), 0);
        map.setCells({});
        QTest::keyClick(&map, Qt::Key_Down); // nothing to go to
        QTest::keyClick(&map, Qt::Key_Return);
        QCOMPARE(activated.size(), 2);
    }
};

QTEST_MAIN(ViewsPagesTest)
#include "views_pages_test.moc"

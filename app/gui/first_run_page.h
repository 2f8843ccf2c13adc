// The first run: cards for what one can begin with.
#pragma once

#include <QList>
#include <QPair>
#include <QWidget>

class QAction;
class QLabel;
class QGridLayout;
class QPushButton;

namespace arbor {

class FirstRunPage : public QWidget {
    Q_OBJECT
  public:
    FirstRunPage(QAction* demo, QAction* newCluster, QAction* import, QAction* openStore,
                 QWidget* parent = nullptr);
    // Where a new store would be made.
    void setStore(const QString& directory);

  protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void drawPictures();
    QPushButton* card(QAction* action, const QString& icon, const QString& title, const QString& text);
    void placeCards(int columns);
    QGridLayout* m_grid;
    int m_columns = 0;
    QList<QPushButton*> m_cards;
    QLabel* m_place;
    QList<QPair<QLabel*, QString>> m_pictures; // with the names of their icons
};

} // namespace arbor

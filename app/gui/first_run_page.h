// The first run: cards for what one can begin with.
#pragma once

#include <QList>
#include <QPair>
#include <QWidget>

class QAction;
class QLabel;
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

  private:
    void drawPictures();
    QPushButton* card(QAction* action, const QString& icon, const QString& title, const QString& text);
    QLabel* m_place;
    QList<QPair<QLabel*, QString>> m_pictures; // with the names of their icons
};

} // namespace arbor

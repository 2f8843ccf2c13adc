// The first run: cards for what one can begin with.
#pragma once

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

  private:
    QPushButton* card(QAction* action, const QString& icon, const QString& title, const QString& text);
    QLabel* m_place;
};

} // namespace arbor

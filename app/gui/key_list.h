// The list of keys (?).
#pragma once

#include <QDialog>

namespace arbor {

class WindowActions;

class KeyList : public QDialog {
    Q_OBJECT
  public:
    explicit KeyList(const WindowActions& actions, QWidget* parent = nullptr);
};

} // namespace arbor

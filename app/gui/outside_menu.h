// What a fork may do to the outside world, which none does by itself: a tick for each rule.
#pragma once

#include "widgets/models/branch_row.h"

#include <QMenu>

namespace arbor {

class OutsideMenu : public QMenu {
    Q_OBJECT
  public:
    explicit OutsideMenu(QWidget* parent = nullptr);

    // A root that was never restored does as its own configuration says: nothing to choose.
    void setBranch(const BranchRow& branch);
    // Of rules by the names that the engine gives them: "archive its log, run scheduled jobs".
    static QString text(const QStringList& rules);

  Q_SIGNALS:
    void chosen(const QString& rule, bool allow); // by a person
};

} // namespace arbor

// The panel at the left: a filter, and what there is besides the tree: checkpoints, expiring branches, the
// trash.
#pragma once

#include "app/gui/store_session.h"

#include <QWidget>

class QLineEdit;
class QTreeWidget;
class QTreeWidgetItem;

namespace arbor {

class Navigator : public QWidget {
    Q_OBJECT
  public:
    explicit Navigator(StoreSession& session, QWidget* parent = nullptr);

    QLineEdit* filter() const { return m_filter; }
    QTreeWidget* list() const { return m_list; }
    // Takes the picture as it is now. Selection and expansion stay.
    void refresh();

  Q_SIGNALS:
    void filterChanged(const QString& text);
    void branchChosen(const QString& branch);
    void pointChosen(const QString& branch, const QString& position);
    void bringBackAsked(const QString& trashName);
    void deleteCheckpointAsked(const QString& name, const QString& branch);

  private:
    struct Entry {
        QString text;
        QString detail;
        QString tip;
        QString kind; // "branch", "checkpoint", "trash"
        QString name;
        QString branch;
        bool operator==(const Entry&) const = default;
    };
    void fill(QTreeWidgetItem* section, const QString& title, const std::vector<Entry>& entries,
              const QString& whenEmpty);
    void choose(QTreeWidgetItem* item);
    void showMenu(const QPoint& at);

    StoreSession& m_session;
    QLineEdit* m_filter;
    QTreeWidget* m_list;
    QTreeWidgetItem* m_branches;
    QTreeWidgetItem* m_checkpoints;
    QTreeWidgetItem* m_expiring;
    QTreeWidgetItem* m_trash;
};

} // namespace arbor

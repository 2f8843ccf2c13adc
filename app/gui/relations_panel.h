// What lies in the selected branch: databases, schemas, tables and indexes with their sizes, asked of the
// branch's own PostgreSQL while it runs; and, asked of the engine, the bytes that the branch keeps for each
// of them and how many of their pages are not the parent's. Where there are several databases they come
// first, one row each; the relations of one are asked for when somebody wants to see them, and the pages of
// one relation likewise.
#pragma once

#include "app/gui/pg_query.h"
#include "app/gui/store_session.h"
#include "widgets/models/relations_model.h"

#include <QHash>
#include <QWidget>

class QComboBox;
class QLabel;
class QStackedLayout;
class QToolButton;
class QTreeView;

namespace arbor {

class PagePanel;

class RelationsPanel : public QWidget {
    Q_OBJECT
  public:
    explicit RelationsPanel(StoreSession& session, QWidget* parent = nullptr);
    void setBranch(std::uint64_t branchId); // 0: none
    // The branch may have been started or stopped, restored, or renamed.
    void refresh();
    QTreeView* list() const { return m_list; }
    QComboBox* database() const { return m_database; }
    // In place of the list while somebody looks at the pages of one.
    PagePanel* pages() const { return m_pagePanel; }
    bool showsPages() const;
    const RelationsModel& model() const { return m_model; }

  Q_SIGNALS:
    void startAsked(const QString& branch);

  protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void ask();
    void askServer();
    void askUses();
    void askDatabases();
    void takeDatabases(const PgQuery::Rows& rows);
    void showDatabase();
    void askRelations();
    bool showsDatabases() const;
    std::vector<RelationRow> databaseRows() const;
    void openRow(const QModelIndex& index);
    void openPages(const RelationRow& row);
    void closePages();
    const RelationRow* currentRow() const;
    void askDifference();
    void takeRows(const PgQuery::Rows& rows);
    void showRows();
    void addUses(std::vector<RelationRow>& rows) const;
    void fitName();
    void say(const QString& text, bool offerStart = false);

    StoreSession& m_session;
    std::uint64_t m_branchId = 0;
    QString m_branch; // its name
    bool m_loaded = false;
    bool m_loadedRunning = false; // and its server has been asked too
    struct Run {                  // what is shown belongs to it
        std::uint64_t timeline = 0;
        Timestamp startedAt;
        bool operator==(const Run&) const = default;
    };
    static Run runOf(const BranchRow& branch) { return {branch.timeline, branch.startedAt}; }
    Run m_run;
    PgQuery::Target m_target;
    QComboBox* m_database;
    QToolButton* m_reload;
    QToolButton* m_start;
    QLabel* m_text;
    QToolButton* m_showPages;
    QTreeView* m_list;
    PagePanel* m_pagePanel;
    QStackedLayout* m_stack;
    struct Pages {
        std::uint64_t all = 0;
        std::uint64_t differing = 0;
    };
    std::optional<QHash<QString, Pages>> m_pages; // by the relation's first file; none for a root
    QString m_parent;
    struct Database {
        QString name;
        QString directory; // base/5
        std::uint64_t bytes = 0;
    };
    std::vector<Database> m_databases; // the largest first
    std::vector<RelationRow> m_rows;   // of the database, as its server knows them
    struct Use {                       // methods.h, `relations` of stats
        QString file, database, relation, kind;
        bool isGone = false;
        std::uint64_t privateBytes = 0;
        std::uint64_t historyBytes = 0;
    };
    std::optional<std::vector<Use>> m_uses;
    RelationsModel m_model;
};

} // namespace arbor

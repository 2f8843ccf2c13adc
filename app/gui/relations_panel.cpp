#include "app/gui/relations_panel.h"

#include "app/control/methods.h"
#include "app/gui/looks.h"
#include "app/gui/page_panel.h"
#include "app/gui/picture_json.h"
#include "app/gui/symbolic_icon.h"
#include "widgets/models/format.h"
#include "widgets/views/bar_delegate.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QJsonObject>
#include <QLabel>
#include <QSortFilterProxyModel>
#include <QStackedLayout>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

namespace {

const QString databasesSql =
    QStringLiteral("SELECT datname, 'base/' || oid, pg_database_size(oid) FROM pg_database "
                   "WHERE datallowconn AND NOT datistemplate ORDER BY 3 DESC, 1");
constexpr int mostRelations = 5000;
constexpr int leastName = 20; // digits
// a TOAST table under the name of the table that it belongs to
const QString relationsSql =
    QStringLiteral("SELECT coalesce(tn.nspname, n.nspname), coalesce(t.relname, c.relname), c.relkind::text, "
                   "c.reltuples::bigint, pg_relation_size(c.oid), pg_relation_filepath(c.oid) "
                   "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                   "LEFT JOIN pg_class t ON t.reltoastrelid = c.oid LEFT JOIN pg_namespace tn ON tn.oid = "
                   "t.relnamespace "
                   "WHERE (c.relkind IN ('r','m','i','p','S') AND n.nspname !~ '^pg_toast' "
                   "OR c.relkind = 't' AND pg_relation_size(c.oid) > 0) "
                   "AND coalesce(tn.nspname, n.nspname) NOT IN ('pg_catalog','information_schema') "
                   "AND coalesce(tn.nspname, n.nspname) !~ '^pg_temp' ORDER BY 5 DESC LIMIT %1")
        .arg(mostRelations);

QString relationKindText(const QString& letter) {
    if (letter == QLatin1String("i"))
        return RelationsPanel::tr("index");
    if (letter == QLatin1String("m"))
        return RelationsPanel::tr("materialized view");
    if (letter == QLatin1String("p"))
        return RelationsPanel::tr("partitioned table");
    if (letter == QLatin1String("S"))
        return RelationsPanel::tr("sequence");
    if (letter == QLatin1String("t"))
        return RelationsPanel::tr("TOAST table");
    return RelationsPanel::tr("table");
}

// Of schema.name, or of nothing.
bool isPersons(const QString& relation) {
    static const QStringList ours{QStringLiteral("pg_catalog."), QStringLiteral("information_schema."),
                                  QStringLiteral("pg_toast"), QStringLiteral("pg_temp")};
    return !relation.isEmpty() &&
           std::ranges::none_of(ours, [&](const QString& schema) { return relation.startsWith(schema); });
}

void addTo(std::optional<std::uint64_t>& sum, std::uint64_t bytes) {
    sum = sum.value_or(0) + bytes;
}

// A database's: base/5 of base/5/16384.
QString directoryOf(const QString& file) {
    return file.section(u'/', 0, 1);
}

// base/5/16384.1 is a part of base/5/16384.
QString firstFile(const QString& file) {
    return file.section(u'.', 0, 0);
}

} // namespace

RelationsPanel::RelationsPanel(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_database(new QComboBox(this)), m_reload(new QToolButton(this)),
      m_start(new QToolButton(this)), m_text(new QLabel(this)), m_showPages(new QToolButton(this)),
      m_list(new QTreeView(this)), m_pagePanel(new PagePanel(session)), m_stack(new QStackedLayout(this)) {
    m_database->setAccessibleName(tr("Database"));
    m_database->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_reload->setIcon(symbolicIcon(QStringLiteral("reset")));
    m_reload->setObjectName(QStringLiteral("reload"));
    m_reload->setAutoRaise(true);
    m_reload->setToolTip(tr("Ask again"));
    m_reload->setAccessibleName(m_reload->toolTip());
    m_start->setIcon(symbolicIcon(QStringLiteral("start")));
    m_start->setText(tr("Start"));
    m_start->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_showPages->setText(tr("Pages"));
    m_showPages->setObjectName(QStringLiteral("pages"));
    m_showPages->setToolTip(tr("Where a read of each page is answered from (Enter)"));
    m_showPages->setEnabled(false);
    m_text->setObjectName(QStringLiteral("said"));
    m_text->setForegroundRole(QPalette::PlaceholderText);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setWordWrap(true); // a long name must not widen the window
    m_text->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* sorted = new QSortFilterProxyModel(this);
    sorted->setSourceModel(&m_model);
    sorted->setSortRole(RelationsModel::SortRole);
    sorted->setSortLocaleAware(true);
    m_list->setModel(sorted);
    flatTable(*m_list);
    m_list->setAccessibleName(tr("Relations"));
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setSortingEnabled(true);
    m_list->sortByColumn(RelationsModel::Size, Qt::DescendingOrder);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setColumnHidden(RelationsModel::Database, true); // while the box above says which
    for (const int column :
         {RelationsModel::Size, RelationsModel::Private, RelationsModel::History, RelationsModel::Changed})
        m_list->setItemDelegateForColumn(column, new BarDelegate(RelationsModel::FractionRole, m_list));
    QHeaderView* header = m_list->header();
    header->setStretchLastSection(false);
    connect(header, &QHeaderView::sectionResized, this, [this](int column) {
        if (column != RelationsModel::Name)
            fitName();
    });
    auto* top = new QHBoxLayout;
    top->addWidget(m_database);
    top->addWidget(m_text, 1);
    top->addWidget(m_start);
    top->addWidget(m_showPages);
    top->addWidget(m_reload);
    auto* relations = new QWidget(this);
    auto* layout = new QVBoxLayout(relations);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addLayout(top);
    layout->addWidget(m_list);
    m_stack->addWidget(relations);
    m_stack->addWidget(m_pagePanel);
    connect(m_reload, &QToolButton::clicked, this, &RelationsPanel::ask);
    connect(m_start, &QToolButton::clicked, this, [this] { Q_EMIT startAsked(m_branch); });
    connect(m_database, &QComboBox::activated, this, &RelationsPanel::showDatabase);
    connect(m_list, &QTreeView::activated, this, &RelationsPanel::openRow);
    const auto offerPages = [this] {
        const RelationRow* row = currentRow();
        m_showPages->setEnabled(row && !row->file.isEmpty() && !showsDatabases());
    };
    connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this, offerPages);
    connect(&m_model, &RelationsModel::modelReset, this, offerPages);
    connect(&m_model, &RelationsModel::rowsRemoved, this, offerPages);
    connect(m_showPages, &QToolButton::clicked, this, [this] {
        if (const RelationRow* row = currentRow())
            openPages(*row);
    });
    connect(m_pagePanel, &PagePanel::closed, this, &RelationsPanel::closePages);
    say(tr("Select a branch to see what lies in it."));
}

void RelationsPanel::say(const QString& text, bool offerStart) {
    m_text->setText(text);
    m_start->setVisible(offerStart);
}

void RelationsPanel::setBranch(std::uint64_t branchId) {
    if (branchId == m_branchId)
        return;
    m_branchId = branchId;
    m_branch.clear();
    m_stack->setCurrentIndex(0);
    m_loaded = m_loadedRunning = false;
    m_rows.clear();
    m_uses.reset();
    m_pages.reset();
    m_databases.clear();
    m_model.setRows({});
    m_database->clear();
    m_database->hide();
    refresh();
}

void RelationsPanel::refresh() {
    const BranchRow* branch = m_session.picture().branch(m_branchId);
    if (branch && m_branch != branch->name) {
        m_branch = branch->name;
        m_pagePanel->setBranchName(m_branch);
        m_loaded = false; // what it says has its name, and answers to the former one are no longer awaited
    }
    const bool runs = branch && branch->state == BranchState::Running;
    const bool isOther = branch && runOf(*branch) != m_run;
    if (isVisible() && (!m_loaded || isOther || (runs && !m_loadedRunning)))
        ask();
}

void RelationsPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    refresh();
}

void RelationsPanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fitName();
}

// A name takes what the others leave, and scrolls rather than be cut. (A section that stretches has no least
// width of its own.)
void RelationsPanel::fitName() {
    QHeaderView* header = m_list->header();
    const int least = fontMetrics().horizontalAdvance(QLatin1Char('0')) * leastName;
    const int others = header->length() - header->sectionSize(RelationsModel::Name);
    header->resizeSection(RelationsModel::Name, std::max(least, m_list->viewport()->width() - others));
}

void RelationsPanel::ask() {
    const BranchRow* branch = m_session.picture().branch(m_branch);
    if (!branch) {
        say(tr("Select a branch to see what lies in it."));
        return;
    }
    m_loaded = true;
    m_loadedRunning = branch->state == BranchState::Running;
    if (m_run != runOf(*branch)) {
        m_run = runOf(*branch);
        m_rows.clear(); // they were another run's, maybe of another timeline
    }
    m_database->setVisible(m_loadedRunning && m_database->count() > 0);
    if (showsPages())
        m_pagePanel->refresh();
    askUses(); // also when its server has come up meanwhile: it has written since
    askDifference();
    if (m_loadedRunning) {
        say(tr("Asking…"));
        askServer();
    } else {
        say(tr("What %1 keeps on disk; how large its relations are is known while it runs.").arg(m_branch),
            branch->state == BranchState::Stopped);
    }
}

void RelationsPanel::askServer() {
    m_session.request(
        method::endpointConnection, {{"name", m_branch}}, this,
        [this, name = m_branch](const Result<QJsonValue>& result) {
            if (name != m_branch)
                return;
            if (!result) {
                say(QString::fromStdString(result.error().message()));
                return;
            }
            const QJsonObject answer = result->toObject();
            m_target = {answer["host"].toString(), answer["port"].toInt(), QStringLiteral("postgres")};
            askDatabases();
        });
}

void RelationsPanel::askUses() {
    m_session.request(method::stats, {{"branch", m_branch}, {"relations", mostRelations}}, this,
                      [this, name = m_branch](const Result<QJsonValue>& result) {
                          if (name != m_branch || !result)
                              return;
                          m_uses.emplace();
                          for (const QJsonValue& each : (*result)["relations"].toArray())
                              m_uses->push_back({each["file"].toString(), each["database"].toString(),
                                                 each["relation"].toString(), each["kind"].toString(),
                                                 each["gone"].toBool(), bytesFromJson(each["privateBytes"]),
                                                 bytesFromJson(each["pinnedBytes"])});
                          showRows();
                      });
}

void RelationsPanel::askDifference() {
    m_session.request(method::branchDifference, {{"name", m_branch}}, this,
                      [this, name = m_branch](const Result<QJsonValue>& result) {
                          if (name != m_branch || !result)
                              return; // what is not known is not shown; the sizes are all the same
                          m_pages.reset();
                          m_parent = (*result)["parent"].toString();
                          if (!m_parent.isEmpty())
                              m_pages.emplace();
                          for (const QJsonValue& each : (*result)["files"].toArray()) {
                              if (!m_pages)
                                  break;
                              Pages& pages = (*m_pages)[firstFile(each["file"].toString())];
                              pages.all += static_cast<std::uint64_t>(each["pages"].toInteger());
                              pages.differing += static_cast<std::uint64_t>(each["differing"].toInteger());
                          }
                          showRows();
                      });
}

void RelationsPanel::askDatabases() {
    new PgQuery(m_target, databasesSql, this, [this, name = m_branch](const Result<PgQuery::Rows>& rows) {
        if (name != m_branch)
            return;
        if (!rows) {
            m_loaded = false;
            say(QString::fromStdString(rows.error().message()));
            return;
        }
        takeDatabases(*rows);
    });
}

void RelationsPanel::takeDatabases(const PgQuery::Rows& rows) {
    const QString before = m_database->currentData().toString();
    m_databases.clear();
    m_database->clear();
    if (rows.size() > 1)
        m_database->addItem(tr("All databases"), QString());
    for (const QStringList& row : rows) {
        m_databases.push_back({row.value(0), row.value(1), row.value(2).toULongLong()});
        m_database->addItem(row.value(0), row.value(0));
    }
    m_database->setCurrentIndex(std::max(0, m_database->findData(before)));
    m_database->show();
    showDatabase();
}

bool RelationsPanel::showsDatabases() const {
    return m_loadedRunning && m_database->count() > 0 && m_database->currentData().toString().isEmpty();
}

void RelationsPanel::showDatabase() {
    m_rows.clear();
    if (!showsDatabases()) {
        say(tr("Asking…"));
        askRelations();
        return;
    }
    std::uint64_t total = 0;
    for (const Database& database : m_databases)
        total += database.bytes;
    say(tr("%n database(s), %1. Open one to see its relations.", nullptr,
           static_cast<int>(m_databases.size()))
            .arg(bytesDisplay(total)));
    showRows();
}

const RelationRow* RelationsPanel::currentRow() const {
    const auto* sorted = static_cast<const QSortFilterProxyModel*>(m_list->model());
    const QModelIndex index = sorted->mapToSource(m_list->currentIndex());
    return index.isValid() ? &m_model.row(index.row()) : nullptr;
}

bool RelationsPanel::showsPages() const {
    return m_stack->currentWidget() == m_pagePanel;
}

void RelationsPanel::openPages(const RelationRow& row) {
    m_pagePanel->showRelation(
        m_branch, row.schema.isEmpty() ? row.name : row.schema + QLatin1Char('.') + row.name, row.file);
    m_stack->setCurrentWidget(m_pagePanel);
    m_pagePanel->map()->setFocus();
}

void RelationsPanel::closePages() {
    if (!showsPages())
        return;
    m_stack->setCurrentIndex(0);
    m_list->setFocus();
}

// Enter or a double click: into a database, or the pages of a relation.
void RelationsPanel::openRow(const QModelIndex& index) {
    if (!showsDatabases()) {
        if (const RelationRow* row = currentRow(); row && !row->file.isEmpty())
            openPages(*row);
        return;
    }
    const int at = m_database->findData(index.siblingAtColumn(RelationsModel::Database).data());
    if (at <= 0)
        return; // what belongs to none
    m_database->setCurrentIndex(at);
    showDatabase();
}

void RelationsPanel::askRelations() {
    PgQuery::Target target = m_target;
    target.database = m_database->currentData().toString();
    new PgQuery(target, relationsSql, this,
                [this, name = m_branch, database = target.database](const Result<PgQuery::Rows>& rows) {
                    if (name != m_branch || database != m_database->currentData().toString())
                        return;
                    if (rows)
                        takeRows(*rows);
                    else
                        say(QString::fromStdString(rows.error().message()));
                });
}

void RelationsPanel::takeRows(const PgQuery::Rows& rows) {
    m_rows.clear();
    std::uint64_t total = 0;
    for (const QStringList& row : rows) {
        const QString letter = row.value(2);
        const qlonglong tuples = row.value(3).toLongLong();
        RelationRow& added = m_rows.emplace_back();
        added.database = m_database->currentData().toString();
        added.schema = row.value(0);
        added.name = row.value(1);
        added.kind = relationKindText(letter);
        added.bytes = row.value(4).toULongLong();
        total += *added.bytes;
        if (tuples >= 0 && (letter == QLatin1String("r") || letter == QLatin1String("m")))
            added.tuples = static_cast<std::uint64_t>(tuples);
        added.file = row.value(5);
    }
    say(rows.isEmpty()
            ? tr("No tables yet")
            : tr("%n relation(s), %1", nullptr, static_cast<int>(rows.size())).arg(bytesDisplay(total)));
    showRows();
}

// What is kept for the rows; and rows for what is kept besides: what has no name here, and what is gone.
void RelationsPanel::addUses(std::vector<RelationRow>& rows) const {
    const QString shown = m_loadedRunning ? m_database->currentData().toString() : QString();
    QHash<QString, std::size_t> byFile;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].privateBytes = rows[i].historyBytes = 0;
        if (!rows[i].file.isEmpty())
            byFile.insert(rows[i].file, i);
    }
    RelationRow others, gone;
    others.name = tr("catalogs and other files");
    gone.name = tr("dropped or rewritten files");
    for (const Use& use : *m_uses) {
        RelationRow* row = &others;
        const bool isNamed = isPersons(use.relation);
        if (isNamed && !shown.isEmpty() && use.database != shown)
            continue; // another database's
        if (const auto known = byFile.constFind(use.file); !use.isGone && known != byFile.cend()) {
            row = &rows[*known];
        } else if (isNamed) {
            row = &rows.emplace_back();
            const QString name = use.relation.section(u'.', 1);
            row->name = use.isGone ? tr("%1 (gone)").arg(name) : name;
            row->schema = use.relation.section(u'.', 0, 0);
            row->database = use.database;
            row->kind = use.kind;
            row->file = use.file;
        } else if (use.isGone) {
            row = &gone;
        }
        addTo(row->privateBytes, use.privateBytes);
        addTo(row->historyBytes, use.historyBytes);
    }
    for (RelationRow* row : {&others, &gone})
        if (row->privateBytes)
            rows.push_back(*row);
}

// A row each, and one for what belongs to all of them, to none, or to what is gone.
std::vector<RelationRow> RelationsPanel::databaseRows() const {
    std::vector<RelationRow> rows;
    QHash<QString, std::size_t> byDirectory;
    for (const Database& database : m_databases) {
        byDirectory.insert(database.directory, rows.size());
        RelationRow& row = rows.emplace_back();
        row.database = row.name = database.name;
        row.bytes = database.bytes;
        row.file = database.directory;
        if (m_uses)
            row.privateBytes = row.historyBytes = 0;
        if (m_pages)
            row.changedPages = 0;
    }
    RelationRow others;
    others.name = tr("shared catalogs and other files");
    for (const Use& use : m_uses.value_or(std::vector<Use>())) {
        const auto known = byDirectory.constFind(directoryOf(use.file));
        RelationRow& row = known == byDirectory.cend() ? others : rows[*known];
        addTo(row.privateBytes, use.privateBytes);
        addTo(row.historyBytes, use.historyBytes);
    }
    if (m_pages)
        for (auto pages = m_pages->cbegin(); pages != m_pages->cend(); ++pages)
            if (const auto known = byDirectory.constFind(directoryOf(pages.key()));
                known != byDirectory.cend()) {
                rows[*known].pages += pages->all;
                addTo(rows[*known].changedPages, pages->differing);
            }
    if (others.privateBytes)
        rows.push_back(others);
    return rows;
}

void RelationsPanel::showRows() {
    if (m_loadedRunning && m_database->count() == 0)
        return; // its server has yet to answer
    const bool databases = showsDatabases();
    std::vector<RelationRow> rows = databases ? databaseRows() : m_rows;
    if (m_uses && !databases)
        addUses(rows);
    for (RelationRow& row : rows) {
        const auto pages = m_pages ? m_pages->constFind(row.file) : QHash<QString, Pages>::const_iterator();
        if (!m_pages || pages == m_pages->constEnd())
            continue;
        row.pages = pages->all;
        row.changedPages = pages->differing;
    }
    m_model.setRows(rows, databases ? RelationsModel::Of::Databases : RelationsModel::Of::Relations);
    m_list->setColumnHidden(RelationsModel::Database, m_loadedRunning); // the box above says which
    m_list->setColumnHidden(RelationsModel::Schema, databases);
    m_list->setColumnHidden(RelationsModel::Kind, databases);
    m_list->setColumnHidden(RelationsModel::Rows, !m_loadedRunning || databases);
    m_list->setColumnHidden(RelationsModel::Size, !m_loadedRunning);
    m_list->setColumnHidden(RelationsModel::Changed, !m_pages);
    for (int column = RelationsModel::Schema; column < RelationsModel::ColumnCount; ++column)
        m_list->resizeColumnToContents(column);
    m_list->header()->setToolTip(
        m_pages ? tr("Pages that differ are those that %1 or %2 has written since the fork.")
                      .arg(m_branch, m_parent)
                : QString());
}

} // namespace arbor

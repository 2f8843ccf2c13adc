#include "app/gui/relations_panel.h"

#include "app/control/methods.h"
#include "app/gui/looks.h"
#include "app/gui/symbolic_icon.h"
#include "widgets/models/format.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonObject>
#include <QLabel>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

namespace {

enum Column { Schema, Name, Kind, Rows, Size };
constexpr int numberRole = Qt::UserRole;    // what a column sorts by
constexpr int shareRole = Qt::UserRole + 1; // of the largest, 0 to 1

const QString databasesSql =
    QStringLiteral("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1");
const QString relationsSql = QStringLiteral(
    "SELECT n.nspname, c.relname, c.relkind::text, c.reltuples::bigint, pg_relation_size(c.oid) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r','m','i','p','S') AND n.nspname NOT IN ('pg_catalog','information_schema') "
    "AND n.nspname !~ '^pg_toast' AND n.nspname !~ '^pg_temp' "
    "ORDER BY 5 DESC LIMIT 5000");

QString kindText(const QString& letter) {
    if (letter == QLatin1String("i"))
        return RelationsPanel::tr("index");
    if (letter == QLatin1String("m"))
        return RelationsPanel::tr("materialized view");
    if (letter == QLatin1String("p"))
        return RelationsPanel::tr("partitioned table");
    if (letter == QLatin1String("S"))
        return RelationsPanel::tr("sequence");
    return RelationsPanel::tr("table");
}

class Item final : public QTreeWidgetItem {
  public:
    using QTreeWidgetItem::QTreeWidgetItem;
    bool operator<(const QTreeWidgetItem& other) const override {
        const int column = treeWidget()->sortColumn();
        const QVariant mine = data(column, numberRole), theirs = other.data(column, numberRole);
        if (mine.isValid() && theirs.isValid())
            return mine.toLongLong() < theirs.toLongLong();
        return QString::localeAwareCompare(text(column), other.text(column)) < 0;
    }
};

// A bar behind the size: the largest relation fills the column.
class BarDelegate final : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        const double share = index.data(shareRole).toDouble();
        if (share > 0 && !(option.state & QStyle::State_Selected)) {
            QRect bar = option.rect.adjusted(2, 3, -2, -3);
            bar.setWidth(std::max(1, static_cast<int>(bar.width() * share)));
            QColor colour = option.palette.color(QPalette::Highlight);
            colour.setAlphaF(0.3f);
            painter->fillRect(bar, colour);
        }
        QStyledItemDelegate::paint(painter, option, index);
    }
};

} // namespace

RelationsPanel::RelationsPanel(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_database(new QComboBox(this)), m_reload(new QToolButton(this)),
      m_start(new QToolButton(this)), m_text(new QLabel(this)), m_list(new QTreeWidget(this)) {
    m_database->setAccessibleName(tr("Database"));
    m_database->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_reload->setIcon(symbolicIcon(QStringLiteral("reset")));
    m_reload->setAutoRaise(true);
    m_reload->setToolTip(tr("Ask again"));
    m_reload->setAccessibleName(m_reload->toolTip());
    m_start->setIcon(symbolicIcon(QStringLiteral("start")));
    m_start->setText(tr("Start"));
    m_start->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_text->setForegroundRole(QPalette::PlaceholderText);
    m_text->setTextFormat(Qt::PlainText);
    flatTable(*m_list);
    m_list->setHeaderLabels({tr("Schema"), tr("Name"), tr("Kind"), tr("Rows"), tr("Size")});
    m_list->setAccessibleName(tr("Relations"));
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setSortingEnabled(true);
    m_list->sortByColumn(Size, Qt::DescendingOrder);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setItemDelegateForColumn(Size, new BarDelegate(m_list));
    m_list->header()->setStretchLastSection(true);
    m_list->header()->setSectionResizeMode(Name, QHeaderView::Stretch);
    auto* top = new QHBoxLayout;
    top->addWidget(m_database);
    top->addWidget(m_text, 1);
    top->addWidget(m_start);
    top->addWidget(m_reload);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addLayout(top);
    layout->addWidget(m_list);
    connect(m_reload, &QToolButton::clicked, this, &RelationsPanel::ask);
    connect(m_start, &QToolButton::clicked, this, [this] { Q_EMIT startAsked(m_branch); });
    connect(m_database, &QComboBox::activated, this, &RelationsPanel::askRelations);
    say(tr("Select a branch to see what lies in it."));
}

void RelationsPanel::say(const QString& text, bool offerStart) {
    m_text->setText(text);
    m_start->setVisible(offerStart);
}

void RelationsPanel::setBranch(const QString& branch) {
    if (branch == m_branch)
        return;
    m_branch = branch;
    m_loaded = false;
    m_list->clear();
    m_database->clear();
    m_database->hide();
    refresh();
}

void RelationsPanel::refresh() {
    if (!m_loaded && isVisible())
        ask();
}

void RelationsPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    refresh();
}

void RelationsPanel::ask() {
    const BranchRow* branch = m_session.picture().branch(m_branch);
    if (!branch) {
        say(tr("Select a branch to see what lies in it."));
        return;
    }
    if (branch->state != BranchState::Running) {
        say(tr("%1 must run to be asked what lies in it.").arg(m_branch),
            branch->state == BranchState::Stopped);
        return;
    }
    m_loaded = true;
    say(tr("Asking…"));
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

void RelationsPanel::askDatabases() {
    new PgQuery(m_target, databasesSql, this, [this, name = m_branch](const Result<PgQuery::Rows>& rows) {
        if (name != m_branch)
            return;
        if (!rows) {
            m_loaded = false;
            say(QString::fromStdString(rows.error().message()));
            return;
        }
        const QString before = m_database->currentText();
        m_database->clear();
        for (const QStringList& row : *rows)
            m_database->addItem(row.value(0));
        m_database->setCurrentIndex(
            std::max(0, m_database->findText(before.isEmpty() ? QStringLiteral("postgres") : before)));
        m_database->show();
        askRelations();
    });
}

void RelationsPanel::askRelations() {
    PgQuery::Target target = m_target;
    target.database = m_database->currentText();
    new PgQuery(target, relationsSql, this,
                [this, name = m_branch, database = target.database](const Result<PgQuery::Rows>& rows) {
                    if (name != m_branch || database != m_database->currentText())
                        return;
                    if (rows)
                        showRows(*rows);
                    else
                        say(QString::fromStdString(rows.error().message()));
                });
}

void RelationsPanel::showRows(const PgQuery::Rows& rows) {
    m_list->setSortingEnabled(false);
    m_list->clear();
    qlonglong largest = 1, total = 0;
    for (const QStringList& row : rows) {
        largest = std::max(largest, row.value(Size).toLongLong());
        total += row.value(Size).toLongLong();
    }
    QList<QTreeWidgetItem*> items;
    for (const QStringList& row : rows) {
        auto* item = new Item;
        const qlonglong tuples = row.value(Rows).toLongLong(), size = row.value(Size).toLongLong();
        const bool hasRows = row.value(Kind) == QLatin1String("r") || row.value(Kind) == QLatin1String("m");
        item->setText(Schema, row.value(Schema));
        item->setText(Name, row.value(Name));
        item->setText(Kind, kindText(row.value(Kind)));
        // PostgreSQL's own estimate, -1 before the first ANALYZE
        item->setText(Rows, hasRows && tuples >= 0
                                ? tr("~%1").arg(countDisplay(static_cast<std::uint64_t>(tuples)))
                                : QStringLiteral("–"));
        item->setData(Rows, numberRole, tuples);
        item->setText(Size, bytesDisplay(static_cast<std::uint64_t>(size)));
        item->setData(Size, numberRole, size);
        item->setData(Size, shareRole, static_cast<double>(size) / static_cast<double>(largest));
        item->setTextAlignment(Rows, Qt::AlignTrailing | Qt::AlignVCenter);
        item->setTextAlignment(Size, Qt::AlignTrailing | Qt::AlignVCenter);
        items += item;
    }
    m_list->addTopLevelItems(items);
    m_list->setSortingEnabled(true);
    for (const int column : {Schema, Kind, Rows})
        m_list->resizeColumnToContents(column);
    say(rows.isEmpty() ? tr("No tables yet")
                       : tr("%n relation(s), %1", nullptr, static_cast<int>(rows.size()))
                             .arg(bytesDisplay(static_cast<std::uint64_t>(total))));
}

} // namespace arbor

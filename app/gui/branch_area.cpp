#include "app/gui/branch_area.h"

#include "app/control/methods.h"
#include "app/gui/picture_json.h"
#include "app/gui/window_actions.h"
#include "app/gui/window_settings.h"
#include "storage/base/units.h"

#include <QCoreApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QScopedValueRollback>
#include <QSet>
#include <QTreeView>
#include <QVBoxLayout>

namespace arbor {

namespace {

constexpr int expandUpTo = 200; // branches: more are better looked at closed
constexpr int rangesSoonMs = 100;
constexpr int rangesEveryMs = 10'000;
const QString branchKey = QStringLiteral("branch"), closedKey = QStringLiteral("closed");

// A program with other columns begins with its own widths.
QString columnsKey() {
    return QStringLiteral("columns%1").arg(BranchTreeModel::ColumnCount);
}

} // namespace

BranchArea::BranchArea(StoreSession& session, const WindowActions& actions, QWidget* parent)
    : QWidget(parent), m_session(session), m_model(new BranchTreeModel(this)),
      m_view(new BranchTimelineView(this)) {
    m_view->setSources(m_model, &session.marks());
    restoreColumns();
    // by LSN until somebody says otherwise: a store that slept for a day is not one pixel wide then
    m_view->timeline().setAxis(WindowSettings().axisIsTime() ? TimelineAxis::Time : TimelineAxis::Lsn);
    connect(m_view, &BranchTimelineView::axisChanged, this,
            [](TimelineAxis axis) { WindowSettings().setAxisIsTime(axis == TimelineAxis::Time); });
    tree().setAccessibleName(tr("Branches"));
    tree().addActions(actions.treeActions());
    setFocusProxy(m_view);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_view);
    connect(m_view, &BranchTimelineView::currentBranchChanged, this, &BranchArea::branchSelected);
    connect(m_view, &BranchTimelineView::branchActivated, this, &BranchArea::psqlAsked);
    connect(m_view, &BranchTimelineView::cursorMoved, this, &BranchArea::takeCursor);
    connect(m_view, &BranchTimelineView::menuRequested, this,
            [this](std::uint64_t branchId, const QPoint& at) {
                if (branchId != 0)
                    Q_EMIT menuAsked(at);
            });
    connect(m_view, &BranchTimelineView::historyEdgeDragged, this, [this](Timestamp edge, bool finished) {
        const auto seconds = std::max<std::int64_t>((SystemClock().now() - edge).micros / 1'000'000, 1);
        // as precise as a hand is
        const std::int64_t unit = seconds > 7200 ? 3600 : seconds > 120 ? 60 : 1;
        const auto rounded = seconds / unit * unit;
        const QString time = QString::fromStdString(durationText(Duration::seconds(rounded)));
        if (finished)
            Q_EMIT historyTimeAsked(time);
        else
            Q_EMIT historyEdgeMoved(time);
    });
    connect(m_view, &BranchTimelineView::historyEdgeBack, this, [this] { Q_EMIT historyEdgeMoved({}); });
    connect(&m_view->timeline(), &TimelineState::viewChanged, this, &BranchArea::announceTimes);
    m_rangesLater.setSingleShot(true);
    connect(&m_rangesLater, &QTimer::timeout, this, &BranchArea::askRanges);
}

void BranchArea::takeCursor() {
    const auto& cursor = m_view->cursor();
    auto at = cursor ? std::optional(std::pair(cursor->branchId, cursor->lsn)) : std::nullopt;
    if (std::exchange(m_cursorAt, at) == at || m_placing)
        return; // only more is known of the place, such as its time
    if (!cursor)
        Q_EMIT cursorCleared();
    else
        Q_EMIT pointPicked(cursor->branchId, cursor->lsn);
}

// The timeline is also painted again with the same scale, each second: the plot stays where it is then,
// unless it follows the clock.
void BranchArea::announceTimes() {
    const TimelineState& timeline = m_view->timeline();
    const TimelineScale& scale = timeline.scale();
    const bool all = scale.showsAll();
    const Shown shown{timeline.axis(), all ? 0 : scale.viewFrom(), all ? 0 : scale.viewTo()};
    const bool isOther = std::exchange(m_shown, shown) != shown;
    if (m_zooming || scale.width() < 2)
        return;
    if (isOther)
        m_plotLeads = false;
    if (m_plotLeads || !(isOther || all))
        return;
    if (const auto times = timeline.timesInView())
        Q_EMIT timesShown(times->from, times->to);
}

void BranchArea::showTimes(Timestamp from, Timestamp to) {
    const QScopedValueRollback zooming(m_zooming, true);
    m_plotLeads = true;
    m_view->timeline().showTimes({from, to});
}

void BranchArea::refresh() {
    for (const BranchRow& branch : m_session.picture().branches)
        m_session.watchMarks(branch.id);
    m_model->setRows(m_session.picture().branches);
    if (!m_hasBranches && m_model->branchCount() > 0) {
        m_hasBranches = true;
        restoreRows();
    }
    if (m_view->currentBranch() == 0 && !m_session.picture().branches.empty())
        m_view->setCurrentBranch(m_session.picture().branches.front().id);
    setNow();
}

// --- As it was

void BranchArea::restoreColumns() {
    tree().header()->restoreState(WindowSettings().bytes(columnsKey()));
}

// Which branches and groups have something below them, and a name for each over time.
void BranchArea::forEachParent(
    const std::function<void(const QModelIndex& index, const QString& key)>& visit) const {
    const BranchFilterModel& filter = m_view->filter();
    std::vector<QModelIndex> parents{QModelIndex()};
    while (!parents.empty()) {
        const QModelIndex parent = parents.back();
        parents.pop_back();
        for (int row = 0; row < filter.rowCount(parent); ++row) {
            const QModelIndex index = filter.index(row, 0, parent);
            if (!filter.hasChildren(index))
                continue;
            const NodeKey& key = m_model->node(filter.mapToSource(index))->key;
            visit(index, QStringLiteral("%1/%2").arg(key.branchId).arg(key.prefix));
            parents.push_back(index);
        }
    }
}

void BranchArea::restoreRows() {
    const WindowSettings settings;
    const QVariant closed = settings.ofStore(m_session.store(), closedKey);
    if (closed.isValid() || m_model->branchCount() <= expandUpTo)
        tree().expandAll();
    const QStringList keys = closed.toString().split(u'\n', Qt::SkipEmptyParts);
    const QSet<QString> isClosed(keys.begin(), keys.end());
    forEachParent([&](const QModelIndex& index, const QString& key) {
        if (isClosed.contains(key))
            tree().collapse(index);
    });
    if (const BranchRow* branch =
            m_session.picture().branch(settings.ofStore(m_session.store(), branchKey).toString()))
        selectBranch(branch->id);
}

void BranchArea::saveLayout() const {
    WindowSettings settings;
    settings.setBytes(columnsKey(), m_view->tree().header()->saveState());
    if (!m_hasBranches)
        return;
    const BranchRow* branch = m_session.picture().branch(currentBranch());
    settings.setOfStore(m_session.store(), branchKey, branch ? branch->name : QString());
    if (m_view->filter().isNarrowed())
        return; // what is closed among what is not shown is not known
    QStringList closed;
    forEachParent([&](const QModelIndex& index, const QString& key) {
        if (!m_view->tree().isExpanded(index))
            closed += key;
    });
    // as one text: an empty list would be read as none that was saved
    settings.setOfStore(m_session.store(), closedKey, closed.join(u'\n'));
}

void BranchArea::setNow() {
    const Timestamp now = SystemClock().now();
    m_model->setNow(now);
    m_view->timeline().setNow(now);
    if (m_view->isDraggingHistoryEdge())
        return;
    const auto window =
        parseDuration(m_session.picture().settings.value(QStringLiteral("history-time")).toStdString());
    const bool limited = window && window->micros > 0;
    m_view->timeline().setHistoryEdge(limited ? std::optional(now - *window) : std::nullopt);
}

void BranchArea::refreshRanges() {
    m_rangesStale = true;
    if (m_rangesLater.isActive())
        return;
    const qint64 left = m_rangesAsked.isValid() ? rangesEveryMs - m_rangesAsked.elapsed() : 0;
    m_rangesLater.start(static_cast<int>(std::max<qint64>(rangesSoonMs, left)));
}

void BranchArea::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_rangesStale)
        refreshRanges();
}

void BranchArea::askRanges() {
    if (!isVisible() || m_session.state() != StoreSession::State::Connected)
        return;
    m_rangesStale = false;
    m_rangesAsked.start();
    m_session.request(method::gcPlan, {}, this, [this](const Result<QJsonValue>& plan) {
        if (plan) // what went wrong is said where a sweep is asked for
            m_view->timeline().setRanges(rangesFromJson(plan->toObject(), m_session.picture()));
    });
}

// What matches is to be seen, whatever is closed; afterwards it is as it was. Rows that do not match forget
// whether they were open.
void BranchArea::setFilter(const QString& text) {
    if (!text.isEmpty() && !m_unfiltered)
        m_unfiltered = {currentBranch(), openParents()};
    m_view->filter().setFilterText(text);
    if (!text.isEmpty()) {
        tree().expandAll();
        return;
    }
    const auto before = std::exchange(m_unfiltered, std::nullopt);
    if (!before)
        return;
    forEachParent([&](const QModelIndex& index, const QString& key) {
        if (const auto known = before->isOpen.constFind(key); known != before->isOpen.cend())
            tree().setExpanded(index, *known);
    });
    if (currentBranch() != before->current)
        selectBranch(currentBranch()); // what was found stays in view
}

QHash<QString, bool> BranchArea::openParents() const {
    QHash<QString, bool> isOpen;
    forEachParent([&](const QModelIndex& index, const QString& key) {
        isOpen.insert(key, m_view->tree().isExpanded(index));
    });
    return isOpen;
}

void BranchArea::setSolo(std::uint64_t branchId) {
    m_view->filter().setSolo(branchId);
}

void BranchArea::setStale(bool stale) {
    m_view->setStale(stale);
}

void BranchArea::setCursor(std::uint64_t branchId, Lsn lsn) {
    const QScopedValueRollback placing(m_placing, true);
    const auto& cursor = m_view->cursor();
    if (!cursor || cursor->branchId != branchId || cursor->lsn != lsn)
        m_view->setCursor(branchId, lsn);
}

void BranchArea::clearCursor() {
    const QScopedValueRollback placing(m_placing, true);
    m_view->timeline().clearCursor();
}

void BranchArea::pressKey(Qt::Key key) {
    QKeyEvent press(QEvent::KeyPress, key, Qt::NoModifier);
    QCoreApplication::sendEvent(&tree(), &press);
}

} // namespace arbor

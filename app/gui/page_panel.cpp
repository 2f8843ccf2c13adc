#include "app/gui/page_panel.h"

#include "app/control/methods.h"
#include "app/gui/looks.h"
#include "app/gui/picture_json.h"
#include "app/gui/symbolic_icon.h"
#include "widgets/models/format.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QKeyEvent>
#include <QLabel>
#include <QSpinBox>
#include <QSplitter>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <limits>

namespace arbor {

namespace {

constexpr int mostCells = 2048; // that a map of its least size still shows

QString pinText(const QJsonObject& pin) {
    const QString kind = pin["kind"].toString(), name = pin["name"].toString();
    if (kind == QLatin1String("head"))
        return name;
    if (kind == QLatin1String("window"))
        return PagePanel::tr("history window of %1").arg(pin["branch"].toString(name));
    if (kind == QLatin1String("checkpoint"))
        return PagePanel::tr("checkpoint %1").arg(name);
    if (kind == QLatin1String("child"))
        return PagePanel::tr("fork point of %1").arg(name);
    if (kind == QLatin1String("trash"))
        return PagePanel::tr("%1 in the trash").arg(name);
    return name;
}

// "written 3 min ago at 0/16B3748, 1.2 KB on disk", as far as it is known.
QString versionText(const PageVersionRow& version, Timestamp now) {
    QStringList facts;
    if (version.time != Timestamp())
        facts += ageStep(version.time, now).count < 0
                     ? PagePanel::tr("written just now")
                     : PagePanel::tr("written %1 ago").arg(ageDisplay(version.time, now));
    if (version.lsn != Lsn())
        facts += PagePanel::tr("at %1").arg(lsnDisplay(version.lsn));
    facts += PagePanel::tr("%1 on disk").arg(bytesDisplay(version.storedBytes));
    return facts.join(QStringLiteral(", "));
}

} // namespace

PagePanel::PagePanel(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_back(new QToolButton(this)), m_title(new ElidedLabel(this)),
      m_whole(new QToolButton(this)), m_block(new QSpinBox(this)), m_map(new PageMapView(this)),
      m_legend(new QLabel(this)), m_sentence(new QLabel(this)), m_table(new QTreeView(this)) {
    build();
    connect(m_back, &QToolButton::clicked, this, &PagePanel::closed);
    connect(m_whole, &QToolButton::clicked, this, [this] { showPart({}); });
    connect(m_map, &PageMapView::activated, this, &PagePanel::openCell);
    connect(m_map, &PageMapView::coloursChanged, this, &PagePanel::showLegend); // they are in its text
    connect(m_block, &QSpinBox::valueChanged, this,
            [this](int block) { trace(static_cast<std::uint64_t>(block)); });
}

void PagePanel::build() {
    m_back->setText(tr("Relations"));
    m_back->setIcon(symbolicIcon(QStringLiteral("relations")));
    m_back->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_back->setToolTip(tr("Back to the relations (Escape)"));
    m_back->setObjectName(QStringLiteral("back"));
    m_whole->setText(tr("Whole relation"));
    m_whole->setObjectName(QStringLiteral("whole"));
    m_block->setAccessibleName(tr("Block"));
    m_block->setKeyboardTracking(false);
    auto* blockLabel = new QLabel(tr("&Block"), this);
    blockLabel->setBuddy(m_block);
    m_legend->setObjectName(QStringLiteral("legend"));
    m_legend->setTextFormat(Qt::RichText);
    m_legend->setWordWrap(true);
    m_sentence->setWordWrap(true);
    m_sentence->setTextFormat(Qt::PlainText);
    m_sentence->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_table->setModel(&m_versions);
    flatTable(*m_table);
    m_table->setAccessibleName(tr("Versions of the page"));
    m_table->setRootIsDecorated(false);
    m_table->setUniformRowHeights(true);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setAllColumnsShowFocus(true);
    m_table->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->header()->setStretchLastSection(true);

    auto* top = new QHBoxLayout;
    top->addWidget(m_back);
    top->addWidget(m_title, 1);
    top->addWidget(m_whole);
    top->addWidget(blockLabel);
    top->addWidget(m_block);
    auto* left = new QWidget(this);
    auto* leftLayout = new QVBoxLayout(left);
    leftLayout->setContentsMargins(0, 0, 8, 0);
    leftLayout->addWidget(m_map, 1);
    leftLayout->addWidget(m_legend);
    auto* right = new QWidget(this);
    auto* rightLayout = new QVBoxLayout(right);
    rightLayout->setContentsMargins(8, 0, 0, 0);
    rightLayout->addWidget(m_sentence);
    rightLayout->addWidget(m_table, 1);
    auto* both = new QSplitter(Qt::Horizontal, this);
    both->addWidget(left);
    both->addWidget(right);
    both->setStretchFactor(0, 2);
    both->setStretchFactor(1, 3);
    both->setChildrenCollapsible(false);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addLayout(top);
    layout->addWidget(both, 1);
}

QString PagePanel::sentence() const {
    return m_sentence->text();
}

void PagePanel::showRelation(const QString& branch, const QString& relation, const QString& file) {
    m_relation = relation;
    m_file = file;
    setBranchName(branch);
    m_title->setToolTip(file);
    m_map->setCells({});
    m_legend->clear();
    m_versions.setRows({}, {});
    m_traced.reset();
    m_sentence->setText(tr("Asking…"));
    showPart({});
}

void PagePanel::setBranchName(const QString& branch) {
    m_branch = branch;
    m_title->setText(tr("Pages of %1 as %2 reads them").arg(m_relation, branch));
}

void PagePanel::refresh() {
    askMap();
    if (m_traced)
        trace(*m_traced);
}

void PagePanel::showPart(Part part) {
    m_part = part;
    m_whole->setVisible(part != Part());
    askMap();
}

void PagePanel::askMap() {
    QJsonObject params{{"branch", m_branch},
                       {"relation", m_file},
                       {"cells", mostCells},
                       {"from", static_cast<qint64>(m_part.from)}};
    if (m_part.blocks > 0)
        params.insert("blocks", static_cast<qint64>(m_part.blocks));
    m_session.request(method::pageMap, params, this,
                      [this, file = m_file, part = m_part](const Result<QJsonValue>& result) {
                          if (file != m_file || part != m_part)
                              return;
                          if (result)
                              takeMap(result->toObject());
                          else
                              fail(result.error());
                      });
}

void PagePanel::fail(const Error& error) {
    m_sentence->setText(QString::fromStdString(error.message()));
    m_versions.setRows({}, {});
}

QString PagePanel::nameOf(const QJsonValue& branch) const {
    return branch.isString() ? branch.toString() : tr("a branch that is gone");
}

void PagePanel::takeMap(const QJsonObject& answer) {
    PageMapCells cells;
    cells.from = static_cast<std::uint64_t>(answer["from"].toInteger());
    cells.blocks = static_cast<std::uint64_t>(answer["blocks"].toInteger());
    cells.perCell = static_cast<std::uint64_t>(answer["perCell"].toInteger(1));
    for (const QJsonValue& each : answer["timelines"].toArray()) {
        const BranchRow* branch = m_session.picture().branch(each["branch"].toString());
        cells.sources.push_back({nameOf(each["branch"]), branch ? branch->id : 0,
                                 static_cast<std::uint64_t>(each["pages"].toInteger())});
    }
    for (const QJsonValue& cell : answer["cells"].toArray())
        cells.cells.push_back(cell.toInt(-1));
    {
        const QSignalBlocker silent(m_block);
        m_block->setRange(0, static_cast<int>(std::min<std::uint64_t>(cells.blocks > 0 ? cells.blocks - 1 : 0,
                                                                      std::numeric_limits<int>::max())));
    }
    m_block->setEnabled(cells.blocks > 0);
    if (cells != m_map->cells())
        m_map->setCells(std::move(cells));
    showLegend();
    if (m_traced)
        return;
    const PageMapCells& shown = m_map->cells();
    m_sentence->setText(shown.blocks == 0    ? tr("It has no pages yet.")
                        : shown.perCell == 1 ? tr("Choose a page to see where a read of it is answered from.")
                                             : tr("A cell is %n page(s). Choose one to see them one by one.",
                                                  nullptr, static_cast<int>(shown.perCell)));
}

// "■ staging 2  ■ main 440": those that have any, and the branch itself.
void PagePanel::showLegend() {
    const PageMapCells& cells = m_map->cells();
    QStringList parts;
    const auto add = [&](int source, const QString& name, std::uint64_t pages) {
        parts += QStringLiteral("<span style=\"color:%1\">■</span>&nbsp;%2&nbsp;%3")
                     .arg(m_map->colour(source).name(), name.toHtmlEscaped(), countDisplay(pages));
    };
    std::uint64_t known = 0;
    for (std::size_t at = 0; at < cells.sources.size(); ++at) {
        known += cells.sources[at].pages;
        if (at == 0 || cells.sources[at].pages > 0)
            add(static_cast<int>(at), cells.sources[at].name, cells.sources[at].pages);
    }
    const std::uint64_t shown = std::min<std::uint64_t>(cells.cells.size() * cells.perCell,
                                                        cells.blocks - std::min(cells.from, cells.blocks));
    if (known < shown)
        add(-1, tr("never written"), shown - known);
    m_legend->setText(parts.join(QStringLiteral("&nbsp;&nbsp; ")));
}

void PagePanel::openCell(int cell) {
    const PageMapCells& cells = m_map->cells();
    const std::uint64_t block = cells.blockOf(cell);
    if (cells.perCell > 1)
        return showPart({block, cells.perCell});
    if (m_block->value() == static_cast<int>(block))
        trace(block);
    else
        m_block->setValue(static_cast<int>(block));
}

void PagePanel::trace(std::uint64_t block) {
    m_traced = block;
    const PageMapCells& cells = m_map->cells();
    if (block >= cells.from && block < cells.from + cells.cells.size() * cells.perCell)
        m_map->setCurrent(static_cast<int>((block - cells.from) / cells.perCell));
    m_session.request(method::pageTrace,
                      {{"branch", m_branch}, {"relation", m_file}, {"block", static_cast<qint64>(block)}},
                      this, [this, file = m_file, asked = ++m_asked](const Result<QJsonValue>& result) {
                          if (file != m_file || asked != m_asked)
                              return;
                          if (result)
                              takeTrace(result->toObject());
                          else
                              fail(result.error());
                      });
}

void PagePanel::takeTrace(const QJsonObject& answer) {
    const Timestamp now = SystemClock().now();
    std::vector<PageVersionRow> rows;
    int answering = -1;
    for (const QJsonValue& each : answer["versions"].toArray()) {
        PageVersionRow& row = rows.emplace_back();
        row.position = static_cast<std::uint64_t>(each["position"].toInteger());
        row.time = timeFromJson(each["time"]);
        row.lsn = lsnFromJson(each["lsn"]);
        row.branch = each["branch"].toString();
        row.storedBytes = bytesFromJson(each["storedBytes"]);
        row.answers = each["answers"].toBool();
        row.isNeeded = each["needed"].toBool();
        for (const QJsonValue& pin : each["pins"].toArray())
            row.keptBy += pinText(pin.toObject());
        row.keptBy.removeDuplicates();
        if (row.answers)
            answering = static_cast<int>(rows.size()) - 1;
    }
    m_versions.setRows(rows, now);
    m_table->setCurrentIndex(answering < 0 ? QModelIndex() : m_versions.index(answering, 0));
    QStringList asked;
    for (const QJsonValue& step : answer["chain"].toArray())
        asked += nameOf(step["branch"]);
    const QString block = countDisplay(static_cast<std::uint64_t>(answer["block"].toInteger()));
    const QString chain = tr("Asked: %1.").arg(asked.join(QStringLiteral(" → ")));
    if (answering < 0) {
        m_sentence->setText(tr("Block %1 was never written and reads as zeros. %2").arg(block, chain));
        return;
    }
    const PageVersionRow& read = rows[static_cast<std::size_t>(answering)];
    m_sentence->setText(tr("Block %1 is read from %2: %3. %4")
                            .arg(block, nameOf(answer["branch"]), versionText(read, now), chain));
}

void PagePanel::keyPressEvent(QKeyEvent* event) {
    if (event->key() != Qt::Key_Escape)
        return QWidget::keyPressEvent(event);
    if (m_part != Part())
        showPart({});
    else
        Q_EMIT closed();
}

} // namespace arbor

#include "app/gui/storage_panel.h"

#include "app/control/methods.h"
#include "app/gui/looks.h"
#include "app/gui/picture_json.h"
#include "app/gui/symbolic_icon.h"
#include "widgets/models/format.h"

#include <QFile>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QMenu>
#include <QSaveFile>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace arbor {

namespace {

constexpr int gatherSamplesMs = 80;
constexpr int everyMs = 60'000; // as often as there is a new sample

StorageSample sampleFrom(const QJsonObject& json) {
    StorageSample sample;
    sample.time = timeFromJson(json["time"]);
    const char* members[] = {"liveBytes", "windowBytes", "pinnedBytes", "trashBytes", "garbageBytes"};
    for (std::size_t i = 0; i < sample.bytes.size(); ++i)
        sample.bytes[i] = bytesFromJson(json[QLatin1String(members[i])]);
    sample.logicalBytes = bytesFromJson(json["logicalBytes"]);
    return sample;
}

std::uint64_t total(const StorageSample& sample) {
    std::uint64_t sum = 0;
    for (const std::uint64_t bytes : sample.bytes)
        sum += bytes;
    return sum;
}

QString change(std::uint64_t from, std::uint64_t to) {
    return to >= from ? QStringLiteral("+%1").arg(bytesDisplay(to - from))
                      : QStringLiteral("−%1").arg(bytesDisplay(from - to));
}

} // namespace

StoragePanel::StoragePanel(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_plot(new StoragePlot(this)), m_forecast(new QLabel(this)),
      m_range(new ElidedLabel(this)), m_export(new QToolButton(this)), m_reclaim(new QToolButton(this)) {
    m_forecast->setTextFormat(Qt::PlainText);
    m_forecast->setWordWrap(true);
    m_forecast->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_range->setForegroundRole(QPalette::PlaceholderText);
    m_range->setText(tr("Drag over the plot to measure; Ctrl+wheel zooms."));
    m_range->setToolTip(m_range->text());
    m_reclaim->setText(tr("Free space"));
    m_reclaim->setIcon(symbolicIcon(QStringLiteral("reclaim")));
    menuButton(*m_export, tr("Export"));
    auto* menu = new QMenu(m_export);
    menu->addAction(tr("As a picture (PNG)…"), this, [this] { exportTo(true); });
    menu->addAction(tr("As numbers (CSV)…"), this, [this] { exportTo(false); });
    m_export->setMenu(menu);
    auto* top = new QHBoxLayout;
    top->addWidget(m_forecast, 3);
    top->addWidget(m_range, 2);
    for (QToolButton* button : {m_reclaim, m_export}) {
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setFocusPolicy(Qt::StrongFocus);
        top->addWidget(button);
    }
    m_export->setToolButtonStyle(Qt::ToolButtonTextOnly);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->setSpacing(2);
    layout->addLayout(top);
    layout->addWidget(m_plot, 1);

    m_ask.setSingleShot(true);
    m_ask.setInterval(gatherSamplesMs);
    connect(&m_ask, &QTimer::timeout, this, &StoragePanel::ask);
    m_every.setInterval(everyMs);
    connect(&m_every, &QTimer::timeout, this, &StoragePanel::refresh);
    m_every.start();
    connect(m_reclaim, &QToolButton::clicked, this, &StoragePanel::reclaimAsked);
    connect(m_plot, &StoragePlot::rangeSelected, this, &StoragePanel::showSelection);
    connect(m_plot, &StoragePlot::rangeCleared, this, [this] {
        m_range->clear();
        m_range->setToolTip({});
    });
    connect(m_plot, &StoragePlot::rangeShown, this, [this](Timestamp from, Timestamp to) {
        m_zoomed = true;
        refresh();
        Q_EMIT rangeShown(from, to);
    });
}

QString StoragePanel::forecastText() const {
    return m_forecast->text();
}

QString StoragePanel::rangeText() const {
    return m_range->text();
}

void StoragePanel::refresh() {
    m_stale = true;
    if (isVisible())
        m_ask.start();
}

void StoragePanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_stale)
        m_ask.start();
}

void StoragePanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    refresh();
}

void StoragePanel::showRange(Timestamp from, Timestamp to) {
    if (from == m_plot->shownFrom() && to == m_plot->shownTo())
        return;
    // the axis follows the clock: less than a pixel changes no sample
    const double pixel = static_cast<double>((to - from).micros) / std::max(1, m_plot->width());
    const auto moved = [&](Timestamp a, Timestamp b) {
        return std::abs(static_cast<double>(a.micros - b.micros)) > pixel;
    };
    const bool isOther = !m_zoomed || moved(from, m_askedFrom) || moved(to, m_askedTo);
    m_zoomed = true;
    m_plot->showRange(from, to);
    if (isOther)
        refresh();
}

// Of what is in view, two samples a pixel at most.
void StoragePanel::ask() {
    if (m_session.state() != StoreSession::State::Connected)
        return;
    m_stale = false;
    QJsonObject params{{"limit", std::max(200, 2 * m_plot->width())}};
    m_askedFrom = m_plot->shownFrom();
    m_askedTo = m_plot->shownTo();
    if (m_zoomed) {
        // one more to either side, so that areas do not end within the view
        const Duration air = (m_plot->shownTo() - m_plot->shownFrom());
        params.insert(
            "from",
            QString::fromStdString(
                Timestamp{std::max<std::int64_t>(0, m_plot->shownFrom().micros - air.micros)}.toIso()));
        params.insert("to", QString::fromStdString((m_plot->shownTo() + air).toIso()));
    }
    m_session.request(method::samples, params, this,
                      [this, question = ++m_question](const Result<QJsonValue>& answer) {
                          if (question != m_question)
                              return;
                          if (answer)
                              take(answer->toObject());
                          else
                              m_forecast->setText(QString::fromStdString(answer.error().message()));
                      });
}

void StoragePanel::take(const QJsonObject& answer) {
    std::vector<StorageSample> samples;
    for (const QJsonValue& sample : answer["samples"].toArray())
        samples.push_back(sampleFrom(sample.toObject()));
    m_plot->setLimit(bytesFromJson(answer["limitBytes"]));
    m_plot->setSamples(std::move(samples));
    const double perDay = answer["growthBytesPerSecond"].toDouble() * 86'400;
    QStringList text;
    // not the last sample: the part in view may end long ago
    if (const QJsonValue now = m_session.picture().stats["diskBytes"]; now.isDouble())
        text += tr("%1 on disk now.").arg(bytesDisplay(bytesFromJson(now)));
    if (std::abs(perDay) >= 1024)
        text += tr("%1%2 a day.")
                    .arg(perDay < 0 ? QStringLiteral("−") : QStringLiteral("+"),
                         bytesDisplay(static_cast<std::uint64_t>(std::abs(perDay))));
    if (const Timestamp full = timeFromJson(answer["fullAt"]); full.micros != 0)
        text += tr("Full at %1 if it goes on like this.").arg(timeDisplay(full));
    if (const QString remedies = remediesFromJson(answer["remedies"]); !remedies.isEmpty())
        text += tr("What helps most: %1.").arg(remedies);
    m_forecast->setText(text.isEmpty() ? tr("The first sample is taken within a minute.") : text.join(u' '));
}

void StoragePanel::showSelection(Timestamp from, Timestamp to) {
    const StorageSample* first = m_plot->sampleAt(from);
    const StorageSample* last = m_plot->sampleAt(to);
    if (!first && !m_plot->samples().empty() && m_plot->samples().front().time <= to)
        first = &m_plot->samples().front();
    if (!first || !last) {
        m_range->setText(tr("No samples there"));
        return;
    }
    QStringList parts;
    for (std::size_t area = 0; area < first->bytes.size(); ++area)
        if (first->bytes[area] != last->bytes[area])
            parts += tr("%1 %2").arg(StoragePlot::areaName(static_cast<int>(area)),
                                     change(first->bytes[area], last->bytes[area]));
    QString text = tr("In %1: %2").arg(durationDisplay(to - from), change(total(*first), total(*last)));
    if (!parts.isEmpty())
        text += tr(" (%1)").arg(parts.join(QStringLiteral(", ")));
    m_range->setText(text);
    m_range->setToolTip(text + u'\n' + tr("%1 to %2").arg(timeDisplay(from), timeDisplay(to)));
}

bool StoragePanel::writeCsv(const QString& path) const {
    QSaveFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(m_plot->csv().toUtf8()) >= 0 && file.commit();
}

void StoragePanel::exportTo(bool png) {
    const QString path = QFileDialog::getSaveFileName(
        this, tr("Export"), png ? QStringLiteral("storage.png") : QStringLiteral("storage.csv"),
        png ? tr("Pictures (*.png)") : tr("Numbers (*.csv)"));
    if (path.isEmpty())
        return;
    if (!(png ? writePng(path) : writeCsv(path)))
        m_range->setText(tr("%1 could not be written.").arg(path));
}

} // namespace arbor

#undef QT_NO_FOREACH // QCustomPlot's header uses foreach
#include "widgets/views/storage_plot.h"

#include "widgets/models/format.h"
#include "widgets/views/theme.h"

#include <QFile>
#include <QVBoxLayout>
#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace arbor {

namespace {

constexpr double leastSpan = 60; // seconds in view

double seconds(Timestamp time) {
    return static_cast<double>(time.micros) / 1e6; // to the microsecond until 2255
}

Timestamp timeOf(double value) {
    return {static_cast<std::int64_t>(value * 1e6)};
}

// Sizes at round powers of two.
class BytesTicker : public QCPAxisTicker {
  protected:
    double getTickStep(const QCPRange& range) override {
        return std::max(1.0, std::exp2(std::ceil(std::log2(std::max(range.size() / 4, 1.0)))));
    }
    QString getTickLabel(double tick, const QLocale&, QChar, int) override {
        return bytesDisplay(static_cast<std::uint64_t>(std::max(tick, 0.0)));
    }
    int getSubTickCount(double) override { return 0; }
};

// Seconds within minutes, hours within days, days within months: no more than tells ticks apart. The zone
// stands at the first tick and where the clock changes.
class TimeTicker : public QCPAxisTickerDateTime {
  protected:
    double getTickStep(const QCPRange& range) override {
        return std::max(std::floor(QCPAxisTickerDateTime::getTickStep(range)), 1.0); // whole seconds
    }
    QVector<double> createTickVector(double tickStep, const QCPRange& range) override {
        m_format = tickStep >= 86'400             ? QString()
                   : std::fmod(tickStep, 60) == 0 ? QStringLiteral("HH:mm")
                                                  : QStringLiteral("HH:mm:ss");
        return QCPAxisTickerDateTime::createTickVector(tickStep, range);
    }
    QVector<QString> createLabelVector(const QVector<double>& ticks, const QLocale& locale, QChar formatChar,
                                       int precision) override {
        m_zone.clear();
        return QCPAxisTickerDateTime::createLabelVector(ticks, locale, formatChar, precision);
    }
    QString getTickLabel(double tick, const QLocale& locale, QChar, int) override {
        const QDateTime time = keyToDateTime(tick);
        const QString day = locale.toString(time.date(), QStringLiteral("d MMM"));
        if (m_format.isEmpty())
            return day;
        const QString zone = zoneDisplay(timeOf(tick));
        const QString added = std::exchange(m_zone, zone) == zone ? QString() : QLatin1Char(' ') + zone;
        return day + added + QLatin1Char('\n') + time.toString(m_format);
    }

  private:
    QString m_format; // of the time within a day; empty: days alone
    QString m_zone;   // of the tick before
};

QString line(const QString& name, std::uint64_t bytes) {
    return QStringLiteral("\n%1  %2").arg(name, bytesDisplay(bytes));
}

} // namespace

class StoragePlot::Plot : public QCustomPlot {
  public:
    explicit Plot(StoragePlot& owner) : QCustomPlot(&owner), m_owner(owner) {
        setAccessibleName(StoragePlot::tr("Storage over time"));
        setMouseTracking(true);
        setFocusPolicy(Qt::StrongFocus);
        setMinimumHeight(90);
        for (int area = 0; area < Theme::areas; ++area) {
            m_areas.push_back(addGraph());
            m_areas.back()->setName(areaName(area));
            m_areas.back()->setAdaptiveSampling(true);
            if (area > 0)
                m_areas.back()->setChannelFillGraph(m_areas[static_cast<std::size_t>(area) - 1]);
        }
        m_logical = addGraph();
        m_logical->setName(StoragePlot::tr("what databases occupy"));
        makeItems();
        makeLegend();
        xAxis->setTicker(QSharedPointer<TimeTicker>::create());
        yAxis->setTicker(QSharedPointer<BytesTicker>::create());
        setSelectionRectMode(QCP::srmCustom);
        connect(selectionRect(), &QCPSelectionRect::accepted, this, [this](const QRect& rect) {
            if (rect.width() < 4) { // a click
                select({}, Timestamp{-1});
                Q_EMIT m_owner.rangeCleared();
                return;
            }
            const Timestamp from = timeAt(rect.left()), to = timeAt(rect.right());
            select(from, to);
            Q_EMIT m_owner.rangeSelected(from, to);
        });
        applyTheme();
    }

    void setSamples(std::vector<StorageSample> samples) {
        m_samples = std::move(samples);
        QVector<double> times;
        QVector<double> sums(static_cast<qsizetype>(m_samples.size()), 0.0);
        times.reserve(sums.size());
        for (const StorageSample& sample : m_samples)
            times.push_back(seconds(sample.time));
        for (int area = 0; area < Theme::areas; ++area) {
            for (qsizetype i = 0; i < sums.size(); ++i)
                sums[i] += static_cast<double>(
                    m_samples[static_cast<std::size_t>(i)].bytes[static_cast<std::size_t>(area)]);
            m_areas[static_cast<std::size_t>(area)]->setData(times, sums, true);
        }
        m_most = 1;
        QVector<double> logical;
        logical.reserve(sums.size());
        for (qsizetype i = 0; i < sums.size(); ++i) {
            const auto bytes = static_cast<double>(m_samples[static_cast<std::size_t>(i)].logicalBytes);
            logical.push_back(bytes > 0 ? bytes : std::nan(""));
            m_most = std::max({m_most, sums[i], bytes});
        }
        m_logical->setData(times, logical, true);
        if (!m_ranged && !times.isEmpty())
            xAxis->setRange(times.front(), std::max(times.back(), times.front() + leastSpan));
        scaleHeight();
    }

    void showRange(Timestamp from, Timestamp to) {
        m_ranged = true;
        xAxis->setRange(seconds(from), std::max(seconds(to), seconds(from) + 1));
        replot(QCustomPlot::rpQueuedReplot);
    }

    void select(Timestamp from, Timestamp to) {
        m_selection->setVisible(from <= to);
        m_selection->topLeft->setCoords(seconds(from), 0);
        m_selection->bottomRight->setCoords(seconds(to), 1);
        replot(QCustomPlot::rpQueuedReplot);
    }

    void setLimit(std::uint64_t bytes) {
        m_limitBytes = static_cast<double>(bytes);
        scaleHeight();
    }

    const std::vector<StorageSample>& samples() const { return m_samples; }
    QString pointedText() const {
        const StorageSample* sample = m_values->visible() ? m_owner.sampleAt(m_pointed) : nullptr;
        return sample != nullptr ? textOf(*sample) : QString();
    }

    std::optional<Timestamp> pointedTime() const {
        return m_line->visible() ? std::optional(timeOf(m_line->point1->key())) : std::nullopt;
    }

    void pointAt(Timestamp time) {
        const StorageSample* sample = m_owner.sampleAt(time);
        m_line->setVisible(sample != nullptr);
        m_values->setVisible(sample != nullptr);
        nameLegend(sample);
        if (sample != nullptr) {
            m_pointed = sample->time;
            m_line->point1->setCoords(seconds(m_pointed), 0);
            m_line->point2->setCoords(seconds(m_pointed), 1);
            m_values->setText(timeDisplay(m_pointed));
            const double x = xAxis->coordToPixel(seconds(m_pointed));
            const bool right = x > axisRect()->center().x();
            m_values->setPositionAlignment((right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignTop);
            m_values->position->setCoords(x + (right ? -10 : 10), axisRect()->top() + 4);
        }
        replot(QCustomPlot::rpQueuedReplot);
    }

    void applyTheme() {
        const Theme theme(m_owner.palette());
        setBackground(theme.ground);
        for (int area = 0; area < Theme::areas; ++area) {
            m_areas[static_cast<std::size_t>(area)]->setPen(QPen(theme.ground, 1));
            // opaque: translucent fills are slow
            m_areas[static_cast<std::size_t>(area)]->setBrush(theme.area(area));
        }
        m_logical->setPen(QPen(theme.text, 1.5, Qt::DashLine));
        m_line->setPen(QPen(theme.accent, 1.5));
        m_values->setColor(theme.text);
        m_values->setFont(captionFont(m_owner.font()));
        m_values->setBrush(theme.ground);
        m_values->setPen(theme.line);
        m_limit->setPen(QPen(theme.danger, 1.5, Qt::DotLine));
        m_selection->setPen(QPen(theme.accent, 1));
        m_selection->setBrush(Qt::NoBrush);
        selectionRect()->setPen(QPen(theme.accent, 1));
        QColor marked = theme.accent;
        marked.setAlphaF(0.15f);
        selectionRect()->setBrush(marked);
        m_legend->setTextColor(theme.muted);
        m_legend->setFont(captionFont(m_owner.font()));
        for (int i = 0; i < m_legend->itemCount(); ++i) {
            m_legend->item(i)->setTextColor(theme.muted);
            m_legend->item(i)->setFont(captionFont(m_owner.font()));
            // QCustomPlot takes the letters' own height, and cuts what hangs below the line
            m_legend->item(i)->setMinimumSize(0, QFontMetrics(captionFont(m_owner.font())).height() + 3);
        }
        for (QCPAxis* axis : {xAxis, yAxis}) {
            axis->setBasePen(theme.line);
            axis->setTickPen(theme.line);
            axis->setSubTickPen(Qt::NoPen);
            axis->setTickLabelColor(theme.muted);
            axis->setTickLabelFont(captionFont(m_owner.font()));
            axis->grid()->setPen(theme.line);
            axis->grid()->setZeroLinePen(Qt::NoPen);
        }
        xAxis->grid()->setVisible(false);
        replot(QCustomPlot::rpQueuedReplot);
    }

  protected:
    void mouseMoveEvent(QMouseEvent* event) override {
        QCustomPlot::mouseMoveEvent(event);
        pointAt(timeAt(event->pos().x()));
    }
    void leaveEvent(QEvent* event) override {
        QCustomPlot::leaveEvent(event);
        m_line->setVisible(false);
        m_values->setVisible(false);
        nameLegend(nullptr);
        replot(QCustomPlot::rpQueuedReplot);
    }
    void wheelEvent(QWheelEvent* event) override {
        const int steps = event->angleDelta().y() != 0 ? event->angleDelta().y() : event->angleDelta().x();
        const double notches = steps / 120.0;
        if (event->modifiers() & Qt::ControlModifier)
            zoom(std::pow(1.25, -notches), xAxis->pixelToCoord(event->position().x()));
        else if (event->modifiers() & Qt::ShiftModifier)
            pan(-notches * 0.1);
        else
            return event->ignore();
        event->accept();
    }
    void keyPressEvent(QKeyEvent* event) override {
        const double middle = m_values->visible() ? seconds(m_pointed) : xAxis->range().center();
        switch (event->key()) {
        case Qt::Key_W:
        case Qt::Key_Plus:
            return zoom(0.8, middle);
        case Qt::Key_S:
        case Qt::Key_Minus:
            return zoom(1.25, middle);
        case Qt::Key_A:
            return pan(-0.1);
        case Qt::Key_D:
            return pan(0.1);
        case Qt::Key_0:
            return showAll();
        case Qt::Key_Left:
            return step(false);
        case Qt::Key_Right:
            return step(true);
        default:
            QCustomPlot::keyPressEvent(event);
        }
    }

  private:
    void makeItems() {
        m_selection = new QCPItemRect(this);
        m_selection->topLeft->setTypeY(QCPItemPosition::ptAxisRectRatio);
        m_selection->bottomRight->setTypeY(QCPItemPosition::ptAxisRectRatio);
        m_selection->setVisible(false);
        m_limit = new QCPItemStraightLine(this);
        m_limit->setVisible(false);
        m_line = new QCPItemStraightLine(this);
        m_line->setVisible(false);
        m_values = new QCPItemText(this);
        m_values->position->setType(QCPItemPosition::ptAbsolute);
        m_values->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
        m_values->setTextAlignment(Qt::AlignLeft);
        m_values->setPadding({8, 6, 8, 6});
        m_values->setVisible(false);
    }
    // Above the axes, in one line, topmost area last as the eye goes up.
    void makeLegend() {
        m_legend = new QCPLegend;
        plotLayout()->insertRow(0);
        plotLayout()->addElement(0, 0, m_legend);
        plotLayout()->setRowStretchFactor(0, 0.001);
        plotLayout()->setRowSpacing(0);
        m_legend->setLayer(QStringLiteral("legend"));
        m_legend->setFillOrder(QCPLegend::foColumnsFirst);
        m_legend->setWrap(0);
        m_legend->setBorderPen(Qt::NoPen);
        m_legend->setBrush(Qt::NoBrush);
        m_legend->setIconSize(12, 10);
        m_legend->setMargins({4, 2, 4, 4});
        m_legend->setColumnSpacing(12);
        for (QCPGraph* graph : m_areas)
            graph->addToLegend(m_legend);
        m_logical->addToLegend(m_legend);
    }
    // The dock is low: what the crosshair shows stands above, not in its way.
    void nameLegend(const StorageSample* sample) {
        const auto named = [&](const QString& name, std::uint64_t bytes) {
            return sample != nullptr ? QStringLiteral("%1  %2").arg(name, bytesDisplay(bytes)) : name;
        };
        for (std::size_t area = 0; area < m_areas.size(); ++area)
            m_areas[area]->setName(
                named(areaName(static_cast<int>(area)), sample != nullptr ? sample->bytes[area] : 0));
        m_logical->setName(
            named(StoragePlot::tr("what databases occupy"), sample != nullptr ? sample->logicalBytes : 0));
    }
    QString textOf(const StorageSample& sample) const {
        QString text = timeDisplay(sample.time);
        for (int area = Theme::areas - 1; area >= 0; --area)
            text += line(areaName(area), sample.bytes[static_cast<std::size_t>(area)]);
        if (sample.logicalBytes > 0)
            text += line(StoragePlot::tr("what databases occupy"), sample.logicalBytes);
        return text;
    }
    // A limit far above would flatten everything: it is drawn when the store comes near.
    void scaleHeight() {
        const bool near = m_limitBytes > 0 && m_limitBytes < m_most * 2;
        m_limit->setVisible(near);
        m_limit->point1->setCoords(0, m_limitBytes);
        m_limit->point2->setCoords(1, m_limitBytes);
        yAxis->setRange(0, std::max(m_most, near ? m_limitBytes : 0) * 1.08);
        replot(QCustomPlot::rpQueuedReplot);
    }
    void zoom(double factor, double anchor) {
        const QCPRange range = xAxis->range();
        const double span = std::max(range.size() * factor, leastSpan);
        const double share = range.size() > 0 ? (anchor - range.lower) / range.size() : 0.5;
        take(anchor - share * span, span);
    }
    void pan(double share) {
        take(xAxis->range().lower + share * xAxis->range().size(), xAxis->range().size());
    }
    void showAll() {
        if (!m_samples.empty())
            take(seconds(m_samples.front().time),
                 std::max(seconds(m_samples.back().time) - seconds(m_samples.front().time), leastSpan));
    }
    void take(double from, double span) {
        m_ranged = true;
        xAxis->setRange(from, from + span);
        replot(QCustomPlot::rpQueuedReplot);
        Q_EMIT m_owner.rangeShown(timeOf(from), timeOf(from + span));
    }
    void step(bool forward) {
        if (m_samples.empty())
            return;
        const Timestamp at = m_values->visible() ? m_pointed : timeOf(xAxis->range().center());
        auto next =
            std::partition_point(m_samples.begin(), m_samples.end(), [&](const StorageSample& sample) {
                return forward ? sample.time <= at : sample.time < at;
            });
        if (forward && next == m_samples.end())
            return;
        if (!forward && next == m_samples.begin())
            return;
        pointAt(forward ? next->time : (next - 1)->time);
    }
    Timestamp timeAt(int x) const { return timeOf(xAxis->pixelToCoord(x)); }

    StoragePlot& m_owner;
    std::vector<StorageSample> m_samples;
    std::vector<QCPGraph*> m_areas;
    QCPGraph* m_logical = nullptr;
    QCPItemStraightLine* m_line = nullptr;
    QCPItemStraightLine* m_limit = nullptr;
    QCPItemText* m_values = nullptr;
    QCPItemRect* m_selection = nullptr;
    QCPLegend* m_legend = nullptr;
    Timestamp m_pointed;
    double m_most = 1;
    double m_limitBytes = 0;
    bool m_ranged = false;
};

StoragePlot::StoragePlot(QWidget* parent) : QWidget(parent), m_plot(std::make_unique<Plot>(*this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot.get());
    setFocusProxy(m_plot.get());
}

StoragePlot::~StoragePlot() = default;

void StoragePlot::setSamples(std::vector<StorageSample> samples) {
    m_plot->setSamples(std::move(samples));
}

const std::vector<StorageSample>& StoragePlot::samples() const {
    return m_plot->samples();
}

QString StoragePlot::areaName(int area) {
    switch (area) {
    case 0:
        return tr("live");
    case 1:
        return tr("history window");
    case 2:
        return tr("pinned");
    case 3:
        return tr("trash");
    default:
        return tr("garbage");
    }
}

void StoragePlot::showRange(Timestamp from, Timestamp to) {
    m_plot->showRange(from, to);
}

Timestamp StoragePlot::shownFrom() const {
    return timeOf(m_plot->xAxis->range().lower);
}

Timestamp StoragePlot::shownTo() const {
    return timeOf(m_plot->xAxis->range().upper);
}

QStringList StoragePlot::tickLabels() const {
    m_plot->replot(); // ticks are made with a picture
    return m_plot->xAxis->tickVectorLabels();
}

void StoragePlot::select(Timestamp from, Timestamp to) {
    m_plot->select(from, to);
}

void StoragePlot::setLimit(std::uint64_t bytes) {
    m_plot->setLimit(bytes);
}

void StoragePlot::pointAt(Timestamp time) {
    m_plot->pointAt(time);
}

QString StoragePlot::pointedText() const {
    return m_plot->pointedText();
}

std::optional<Timestamp> StoragePlot::pointedTime() const {
    return m_plot->pointedTime();
}

const StorageSample* StoragePlot::sampleAt(Timestamp time) const {
    const auto& all = m_plot->samples();
    const auto behind = std::partition_point(
        all.begin(), all.end(), [&](const StorageSample& sample) { return sample.time <= time; });
    return behind == all.begin() ? nullptr : &*(behind - 1);
}

bool StoragePlot::savePng(const QString& path, double pixelRatio) const {
    return m_plot->savePng(path, m_plot->width(), m_plot->height(), pixelRatio);
}

QString StoragePlot::csv() const {
    QString text = QStringLiteral("time,live,history,pinned,trash,garbage,logical\n");
    for (const StorageSample& sample : m_plot->samples()) {
        text += QString::fromStdString(sample.time.toIso());
        for (const std::uint64_t bytes : sample.bytes)
            text += QLatin1Char(',') + QString::number(bytes);
        text += QLatin1Char(',') +
                (sample.logicalBytes == 0 ? QString() : QString::number(sample.logicalBytes)) +
                QLatin1Char('\n');
    }
    return text;
}

void StoragePlot::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange)
        m_plot->applyTheme();
    QWidget::changeEvent(event);
}

} // namespace arbor

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

double seconds(Timestamp time) {
    return static_cast<double>(time.micros) / 1e6; // to the microsecond until 2255
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

} // namespace

class StoragePlot::Plot : public QCustomPlot {
  public:
    explicit Plot(StoragePlot& owner)
        : QCustomPlot(&owner), m_owner(owner), m_logical(nullptr), m_line(nullptr) {
        setAccessibleName(StoragePlot::tr("Storage over time"));
        setMouseTracking(true);
        for (int area = 0; area < Theme::areas; ++area) {
            m_areas.push_back(addGraph());
            m_areas.back()->setName(areaName(area));
            if (area > 0)
                m_areas.back()->setChannelFillGraph(m_areas[static_cast<std::size_t>(area) - 1]);
        }
        m_logical = addGraph();
        m_logical->setName(StoragePlot::tr("what databases occupy"));
        m_line = new QCPItemStraightLine(this);
        m_line->setVisible(false);
        m_values = new QCPItemText(this);
        m_values->position->setType(QCPItemPosition::ptAbsolute);
        m_values->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
        m_values->setTextAlignment(Qt::AlignLeft);
        m_values->setPadding({8, 6, 8, 6});
        m_values->setVisible(false);
        auto ticker = QSharedPointer<QCPAxisTickerDateTime>::create();
        ticker->setDateTimeFormat(QStringLiteral("d MMM\nHH:mm"));
        xAxis->setTicker(ticker);
        yAxis->setTicker(QSharedPointer<BytesTicker>::create());
        setSelectionRectMode(QCP::srmCustom);
        connect(selectionRect(), &QCPSelectionRect::accepted, this, [this](const QRect& rect) {
            Q_EMIT m_owner.rangeSelected(timeAt(rect.left()), timeAt(rect.right()));
        });
        applyTheme();
    }

    void setSamples(std::vector<StorageSample> samples) {
        m_samples = std::move(samples);
        QVector<double> times;
        QVector<double> sums(static_cast<qsizetype>(m_samples.size()), 0.0);
        for (const StorageSample& sample : m_samples)
            times.push_back(seconds(sample.time));
        double most = 1;
        for (int area = 0; area < Theme::areas; ++area) {
            for (qsizetype i = 0; i < sums.size(); ++i)
                sums[i] += static_cast<double>(
                    m_samples[static_cast<std::size_t>(i)].bytes[static_cast<std::size_t>(area)]);
            m_areas[static_cast<std::size_t>(area)]->setData(times, sums, true);
        }
        QVector<double> logical;
        for (qsizetype i = 0; i < sums.size(); ++i) {
            const auto bytes = static_cast<double>(m_samples[static_cast<std::size_t>(i)].logicalBytes);
            logical.push_back(bytes > 0 ? bytes : std::nan(""));
            most = std::max({most, sums[i], bytes});
        }
        m_logical->setData(times, logical, true);
        yAxis->setRange(0, most * 1.08);
        if (!m_ranged && !times.isEmpty())
            xAxis->setRange(times.front(), std::max(times.back(), times.front() + 1));
        replot(QCustomPlot::rpQueuedReplot);
    }

    void showRange(Timestamp from, Timestamp to) {
        m_ranged = true;
        xAxis->setRange(seconds(from), seconds(to));
        replot(QCustomPlot::rpQueuedReplot);
    }

    const std::vector<StorageSample>& samples() const { return m_samples; }

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
        const Timestamp time = timeAt(event->pos().x());
        const StorageSample* sample = m_owner.sampleAt(time);
        m_line->setVisible(sample != nullptr);
        m_values->setVisible(sample != nullptr);
        if (sample != nullptr) {
            m_line->point1->setCoords(seconds(time), 0);
            m_line->point2->setCoords(seconds(time), 1);
            QString text = timeDisplay(sample->time);
            for (int area = Theme::areas - 1; area >= 0; --area)
                text += QStringLiteral("\n%1  %2")
                            .arg(areaName(area), bytesDisplay(sample->bytes[static_cast<std::size_t>(area)]));
            m_values->setText(text);
            const bool right = event->pos().x() > width() / 2;
            m_values->setPositionAlignment((right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignTop);
            m_values->position->setCoords(event->pos().x() + (right ? -10 : 10), axisRect()->top() + 4);
        }
        replot(QCustomPlot::rpQueuedReplot);
    }
    void leaveEvent(QEvent* event) override {
        QCustomPlot::leaveEvent(event);
        m_line->setVisible(false);
        m_values->setVisible(false);
        replot(QCustomPlot::rpQueuedReplot);
    }

  private:
    Timestamp timeAt(int x) const { return {static_cast<std::int64_t>(xAxis->pixelToCoord(x) * 1e6)}; }

    StoragePlot& m_owner;
    std::vector<StorageSample> m_samples;
    std::vector<QCPGraph*> m_areas;
    QCPGraph* m_logical;
    QCPItemStraightLine* m_line;
    QCPItemText* m_values = nullptr;
    bool m_ranged = false;
};

StoragePlot::StoragePlot(QWidget* parent) : QWidget(parent), m_plot(std::make_unique<Plot>(*this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot.get());
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
        return tr("pinned by branches");
    case 3:
        return tr("trash");
    default:
        return tr("garbage");
    }
}

void StoragePlot::showRange(Timestamp from, Timestamp to) {
    m_plot->showRange(from, to);
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

// The storage dock's plot: what the bytes on disk are for, stacked over time, and what the databases think
// they occupy.
#pragma once

// first: moc cannot read libstdc++'s <compare> before anything else of it
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "storage/base/time.h"

#include <QString>
#include <QStringList>
#include <QWidget>

namespace arbor {

struct StorageSample {
    Timestamp time;
    // bottom up: live, history window, pinned by branches, trash, garbage
    std::array<std::uint64_t, 5> bytes{};
    std::uint64_t logicalBytes = 0; // 0: not known then
};

class StoragePlot : public QWidget {
    Q_OBJECT
  public:
    explicit StoragePlot(QWidget* parent = nullptr);
    ~StoragePlot() override;

    // In order of time, at most a few a pixel: every one is drawn.
    void setSamples(std::vector<StorageSample> samples);
    const std::vector<StorageSample>& samples() const;
    static QString areaName(int area);

    // The part of time in view; the window keeps it equal to the timeline's.
    void showRange(Timestamp from, Timestamp to);
    Timestamp shownFrom() const;
    Timestamp shownTo() const;
    // A stretch of time that is marked; none: to before from.
    void select(Timestamp from, Timestamp to);
    // Where the store is full, as a line; 0: not known.
    void setLimit(std::uint64_t bytes);
    QStringList tickLabels() const; // of the axis of time
    // The crosshair, as the mouse and the arrow keys move it: it stands on the sample that was the last one
    // then. Its values as text, "" while there is none.
    void pointAt(Timestamp time);
    QString pointedText() const;
    std::optional<Timestamp> pointedTime() const;
    // The last sample at or before; null before the first.
    const StorageSample* sampleAt(Timestamp time) const;

    bool savePng(const QString& path, double pixelRatio = 2) const;
    // "time,live,history,pinned,trash,garbage,logical" and a line a sample, in bytes; the times in UTC.
    QString csv() const;

  Q_SIGNALS:
    void rangeSelected(arbor::Timestamp from, arbor::Timestamp to); // dragged with the mouse
    void rangeCleared();
    // Zoomed or panned by the person: Ctrl+wheel, Shift+wheel, W A S D, + and -, 0.
    void rangeShown(arbor::Timestamp from, arbor::Timestamp to);

  protected:
    void changeEvent(QEvent* event) override;

  private:
    class Plot;
    std::unique_ptr<Plot> m_plot;
};

} // namespace arbor

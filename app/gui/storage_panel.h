// Where the bytes went over time, what it leads to, and what helps most.
#pragma once

#include "app/gui/store_session.h"
#include "widgets/views/storage_plot.h"

#include <QTimer>
#include <QWidget>

class QLabel;
class QToolButton;

namespace arbor {

class StoragePanel : public QWidget {
    Q_OBJECT
  public:
    explicit StoragePanel(StoreSession& session, QWidget* parent = nullptr);

    StoragePlot& plot() { return *m_plot; }
    QString forecastText() const;
    QString rangeText() const;
    // The samples are out of date. They are asked for when somebody looks.
    void refresh();
    // The part of time that the timeline shows.
    void showRange(Timestamp from, Timestamp to);
    // Writes what is in view; false when it could not be written.
    bool writePng(const QString& path) const { return m_plot->savePng(path); }
    bool writeCsv(const QString& path) const;

  Q_SIGNALS:
    void rangeShown(arbor::Timestamp from, arbor::Timestamp to);
    void reclaimAsked();

  protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void ask();
    void take(const QJsonObject& answer);
    void showSelection(Timestamp from, Timestamp to);
    void exportTo(bool png);

    StoreSession& m_session;
    StoragePlot* m_plot;
    QLabel* m_forecast;
    QLabel* m_range;
    QToolButton* m_export;
    QToolButton* m_reclaim;
    QTimer m_ask; // gathers zooms
    QTimer m_every;
    std::uint64_t m_question = 0;
    Timestamp m_askedFrom;
    Timestamp m_askedTo;
    bool m_stale = true;
    bool m_zoomed = false;
};

} // namespace arbor

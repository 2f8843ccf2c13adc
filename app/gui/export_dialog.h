// Takes a point of a branch out: as a data directory that any PostgreSQL opens, or as a dump.
#pragma once

#include "app/gui/store_session.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QPushButton;
class QRadioButton;
class QStackedWidget;
class QTextBrowser;

namespace arbor {

class TransferProgress;

class ExportDialog : public QDialog {
    Q_OBJECT
  public:
    // `position` as the point panel writes it; "" for the head.
    ExportDialog(StoreSession& session, QString branch, QString position, QWidget* parent = nullptr);

  private:
    enum Page { Target, Running, Report };

    QWidget* makeTargetPage();
    QWidget* makeReportPage();
    void update();
    void next();
    void begin();
    void showReport(const Result<QJsonValue>& answer);

    StoreSession& m_session;
    const QString m_branch;
    const QString m_position;
    QStackedWidget* m_pages;
    QRadioButton* m_asDirectory = nullptr;
    QRadioButton* m_asDump = nullptr;
    QLineEdit* m_target = nullptr;
    QLineEdit* m_database = nullptr;
    QLabel* m_databaseLabel = nullptr;
    TransferProgress* m_progress;
    QLabel* m_reportTitle = nullptr;
    QTextBrowser* m_report = nullptr;
    QPushButton* m_close;
    QPushButton* m_next;
    bool m_done = false;
};

} // namespace arbor

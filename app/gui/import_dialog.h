// Bring your own database: from where, what would come in, how far it is, what came in. Where there is no
// store yet one is made when what would come in is known, and not before.
#pragma once

#include "app/gui/store_session.h"

#include <QDialog>

class QButtonGroup;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QStackedWidget;
class QTextBrowser;

namespace arbor {

class TransferProgress;

class ImportDialog : public QDialog {
    Q_OBJECT
  public:
    enum class Way { Directory, Server, Dump };

    // `nameFault` says why a branch cannot have that name; "" when it can.
    ImportDialog(StoreSession& session, std::function<QString(const QString&)> nameFault,
                 QWidget* parent = nullptr);

    void choose(Way way);
    Way way() const;

  Q_SIGNALS:
    // The branch is there: it wants to be selected.
    void imported(const QString& branch);

  private:
    enum Page { Source, Check, Running, Report };

    QWidget* makeSourcePage();
    QWidget* makeCheckPage();
    QWidget* makeReportPage();
    QWidget* addWay(Way way, const QString& title, const QString& text);
    QLineEdit* addField(QFormLayout* form, const QString& label, const char* name, const QString& hint);
    void addBrowse(QFormLayout* form, QLineEdit* field, bool directory);
    void proposeName();
    void update();
    void next();
    void back();
    QString source() const; // of the way that is chosen
    QString proposedName() const;
    QJsonObject params() const;
    void check();
    void askCheck();
    void showCheck(const Result<QJsonValue>& answer);
    void begin();
    void import();
    bool isWithoutStore() const { return m_session.state() == StoreSession::State::NoStore; }
    // When the session is no longer on its way somewhere.
    void whenSettled(std::function<void()> then);
    void done(int result) override;
    void showReport(const Result<QJsonValue>& answer);

    StoreSession& m_session;
    const std::function<QString(const QString&)> m_nameFault;
    QStackedWidget* m_pages;
    QButtonGroup* m_ways;
    QList<QWidget*> m_fields; // of each way
    QLineEdit* m_directory = nullptr;
    QLineEdit* m_url = nullptr;
    QLineEdit* m_password = nullptr;
    QLineEdit* m_dump = nullptr;
    QLineEdit* m_name = nullptr;
    QLabel* m_fault = nullptr;
    QLabel* m_checkTitle = nullptr;
    QFormLayout* m_facts = nullptr;
    QLabel* m_version = nullptr;
    QLabel* m_size = nullptr;
    QLabel* m_space = nullptr;
    QLabel* m_rights = nullptr;
    QTextBrowser* m_changes = nullptr;
    TransferProgress* m_progress = nullptr;
    QLabel* m_reportTitle = nullptr;
    QTextBrowser* m_report = nullptr;
    QPushButton* m_back;
    QPushButton* m_next;
    QPushButton* m_close;
    QString m_proposed; // the name that was filled in by itself
    bool m_checked = false;
    bool m_done = false;
    bool m_engineStarted = false; // for a look alone: it serves no store
    int m_asked = 0;              // answers to older questions are not wanted
};

} // namespace arbor

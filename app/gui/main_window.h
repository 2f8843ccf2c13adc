// The window: a toolbar, the navigator, the tree with its timeline, the inspector and the panels below.
#pragma once

#include "app/gui/command_palette.h"
#include "app/gui/store_commands.h"
#include "app/gui/store_session.h"
#include "app/gui/window_actions.h"

#include <QMainWindow>
#include <QPointer>

class QDockWidget;
class QLabel;
class QMenu;
class QStackedWidget;
class QToolButton;

namespace arbor {

class ActivityPanel;
class BranchArea;
class FirstRunPage;
class Inspector;
class JobsPopup;
class LogPanel;
class MessageBar;
class NamePopup;
class Navigator;
class ProblemPage;
class ReclaimPanel;
class RelationsPanel;
class StoragePanel;
class WaitPage;

class MainWindow : public QMainWindow {
    Q_OBJECT
  public:
    // The session must outlive the window. show() and session.open() are the caller's.
    explicit MainWindow(StoreSession& session, QWidget* parent = nullptr);
    ~MainWindow() override;

    WindowActions& actions() { return *m_actions; }
    StoreCommands& commands() { return *m_commands; }
    BranchArea& area() { return *m_area; }
    Inspector& inspector() { return *m_inspector; }
    Navigator& navigator() { return *m_navigator; }
    MessageBar& messages() { return *m_messages; }
    MessageBar& limitBar() { return *m_limit; }
    MessageBar& troubleBar() { return *m_trouble; }
    ActivityPanel& activity() { return *m_activity; }
    StoragePanel& storage() { return *m_storage; }
    ReclaimPanel& reclaim() { return *m_reclaim; }
    NamePopup& namePopup() { return *m_name; }
    CommandPalette& palette_() { return *m_palette; }

    void raiseToFront();

  Q_SIGNALS:
    // Another store was chosen; who made this window opens it. `what`: "open", "new" or "demo".
    void storeAsked(const QString& directory, const QString& what);

  protected:
    void closeEvent(QCloseEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void makeToolBar();
    void makeMenus();
    void makeDocks();
    void tickAges();
    void connectStorageDocks();
    QDockWidget* addDock(const QString& title, const QString& name, QWidget* content,
                         Qt::DockWidgetArea area);
    void connectBranchActions();
    void connectPointActions();
    void connectStoreActions();
    void connectRegions();
    void raiseDock(const QString& name);
    void connectSession();
    void showState();
    void showPicture(StoreSession::Parts parts);
    void showJob(const JobFacts& job);
    void showLimit();
    void showTrouble();
    void showDocks(bool open);
    void updateActions();
    void updateNow();
    void hintAtTheDemo();
    void selectBranch(const QString& name);
    void setPoint(const QString& typed, Lsn lsn);
    const BranchRow* branch() const; // the selected one
    QString positionOrHead() const;
    void askBranch();
    void askCheckpoint();
    Lsn pointLsn() const;
    void connectNaming();
    void connectPositionField();
    void askRename();
    void askExpiry();
    QString nameFault(const QString& name, bool checkpoint) const;
    QString freeName(const QString& stem, bool checkpoint) const;
    void chooseStore(const QString& what);
    void openPalette();
    void openPreferences();
    void openImport();
    void openExport();
    void restoreLayout();
    void saveLayout();

    static constexpr int layoutVersion = 1;
    StoreSession& m_session;
    WindowActions* m_actions;
    MessageBar* m_messages;
    MessageBar* m_limit;   // how near the disk is to full; while it is
    MessageBar* m_trouble; // why no branch can be started; while none can
    StoreCommands* m_commands;
    QStackedWidget* m_pages;
    FirstRunPage* m_firstRun;
    ProblemPage* m_problem;
    WaitPage* m_wait;
    BranchArea* m_area;
    Navigator* m_navigator;
    Inspector* m_inspector;
    ActivityPanel* m_activity;
    LogPanel* m_log;
    RelationsPanel* m_relations;
    StoragePanel* m_storage;
    ReclaimPanel* m_reclaim;
    NamePopup* m_name;
    CommandPalette* m_palette;
    JobsPopup* m_jobs;
    QLabel* m_gone; // the strip that says that the engine is gone
    QWidget* m_goneStrip;
    QLabel* m_now;
    QMenu* m_panels; // which panels are shown
    QToolButton* m_jobsButton;
    QToolButton* m_searchButton;
    QList<QDockWidget*> m_docks;
    std::uint64_t m_branchId = 0;
    QString m_position;     // "" while there is no cursor
    QString m_namedAt;      // the same when a name was asked for: the cursor may move meanwhile
    int m_limitState = 0;   // as it was last shown
    QString m_knownTrouble; // as it was last shown
    QString m_endedFor;     // why the engine has ended, where that is known; "" otherwise
    bool m_expandedOnce = false;
    bool m_docksShown = false;
    QByteArray m_layout; // of the panels, while there is nothing to show
    bool m_hinted = false;
};

} // namespace arbor

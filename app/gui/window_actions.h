// Every action of the window, once: menus, the toolbar, keys, the palette and the key list are made from
// them.
#pragma once

#include <QAction>
#include <QList>
#include <QObject>

namespace arbor {

class WindowActions : public QObject {
    Q_OBJECT
  public:
    explicit WindowActions(QObject* parent);

    // The store
    QAction* tryDemo;
    QAction* newCluster;
    QAction* openStore;
    QAction* importDatabase;
    QAction* scrub;
    QAction* preferences;
    QAction* stopEngine;
    QAction* quit;
    QAction* undo;
    QAction* redo;
    // The selected branch
    QAction* psql;
    QAction* copyUrl;
    QAction* copyTcpUrl;
    QAction* copyEnvironment;
    QAction* copyService;
    QAction* start;
    QAction* stop;
    QAction* restart;
    QAction* rename;
    QAction* reset;
    QAction* protect; // checkable
    QAction* expiry;
    QAction* exportBranch;
    QAction* remove;
    QAction* solo; // checkable
    // The point at the cursor (without a cursor: the head)
    QAction* branchHere;
    QAction* peek;
    QAction* restore;
    QAction* checkpoint;
    // Finding one's way
    QAction* palette;
    QAction* filter;
    QAction* keys;
    QAction* jobs;
    QAction* navigatorRegion;
    QAction* treeRegion;
    QAction* inspectorRegion;
    QAction* docksRegion;

    struct Group {
        QString title;
        QList<QAction*> actions;
    };
    // In the order of the key list.
    const QList<Group>& groups() const { return m_groups; }
    // Those whose keys work only while the tree has the focus: single letters.
    const QList<QAction*>& treeActions() const { return m_treeActions; }
    // Those that the timeline does by itself when it has the focus; triggered, they are to be handed to it as
    // keys.
    const QList<std::pair<QAction*, Qt::Key>>& viewKeys() const { return m_viewKeys; }
    // Those that need a branch.
    const QList<QAction*>& branchActions() const { return m_branchActions; }
    // Those that go to what is there only while a store is shown.
    const QList<QAction*>& storeActions() const { return m_storeActions; }

    // Can be done, or why not: a few words for the palette.
    static void allow(QAction& action, const QString& whyNot);
    static QString whyNot(const QAction& action) { return action.data().toString(); }

  private:
    QAction* add(const QString& text, const QString& icon = {}, const QList<QKeySequence>& shortcuts = {},
                 const QString& tip = {});
    void makeStoreActions();
    void makeBranchActions();
    void makePointActions();
    void makePictureActions();
    void makeRegionActions();

    QList<Group> m_groups;
    QList<QAction*> m_treeActions;
    QList<QAction*> m_branchActions;
    QList<QAction*> m_storeActions;
    QList<std::pair<QAction*, Qt::Key>> m_viewKeys;
};

} // namespace arbor

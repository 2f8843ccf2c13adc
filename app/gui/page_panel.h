// The pages of one relation: a map of where a read of each is answered from, and of the page that is chosen
// the whole story: which timelines were asked, the version that answers, and all others that there are.
#pragma once

#include "app/gui/store_session.h"
#include "widgets/models/page_versions_model.h"
#include "widgets/views/page_map_view.h"

#include <QWidget>

class QLabel;
class QSpinBox;
class QToolButton;
class QTreeView;

namespace arbor {

class PagePanel : public QWidget {
    Q_OBJECT
  public:
    explicit PagePanel(StoreSession& session, QWidget* parent = nullptr);

    // `file`: the relation's first, base/5/16384.
    void showRelation(const QString& branch, const QString& relation, const QString& file);
    void setBranchName(const QString& branch); // the same branch's
    void refresh();                            // asks again, for the same part and page
    PageMapView* map() const { return m_map; }
    QSpinBox* block() const { return m_block; }
    QTreeView* table() const { return m_table; }
    const PageVersionsModel& versions() const { return m_versions; }
    QString sentence() const;

  Q_SIGNALS:
    void closed();

  protected:
    void keyPressEvent(QKeyEvent* event) override;

  private:
    struct Part {
        std::uint64_t from = 0;
        std::uint64_t blocks = 0; // 0: all there are
        bool operator==(const Part&) const = default;
    };
    void build();
    void askMap();
    void takeMap(const QJsonObject& answer);
    void openCell(int cell);
    void showPart(Part part);
    void trace(std::uint64_t block);
    void takeTrace(const QJsonObject& answer);
    void fail(const Error& error);
    void showLegend();
    QString nameOf(const QJsonValue& branch) const;

    StoreSession& m_session;
    QString m_branch;
    QString m_relation;
    QString m_file;
    Part m_part;
    std::optional<std::uint64_t> m_traced;
    quint64 m_asked = 0; // answers to earlier questions are not wanted any more
    QToolButton* m_back;
    QLabel* m_title;
    QToolButton* m_whole;
    QSpinBox* m_block;
    PageMapView* m_map;
    QLabel* m_legend;
    QLabel* m_sentence;
    QTreeView* m_table;
    PageVersionsModel m_versions;
};

} // namespace arbor

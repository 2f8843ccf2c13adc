// Ctrl+K: every action and every branch, found by a few letters.
#pragma once

#include <QDialog>
#include <QIcon>

#include <functional>
#include <vector>

class QLineEdit;
class QListWidget;

namespace arbor {

class CommandPalette : public QDialog {
    Q_OBJECT
  public:
    struct Entry {
        QString text;
        QString detail; // a key, or why it cannot be done
        QIcon icon;
        std::function<void()> run;
        bool enabled = true; // else it comes last, greyed: it is there, but not now
    };
    explicit CommandPalette(QWidget* parent = nullptr);

    // Shows the palette over its parent; Enter runs the chosen entry after the palette is gone.
    void open(std::vector<Entry> entries);
    QLineEdit* field() const { return m_field; }
    QListWidget* list() const { return m_list; }

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void narrow();
    void runChosen();

    std::vector<Entry> m_entries;
    QLineEdit* m_field;
    QListWidget* m_list;
};

} // namespace arbor

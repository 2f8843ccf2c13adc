#include "app/gui/export_dialog.h"

#include "app/control/methods.h"
#include "app/gui/picture_json.h"
#include "app/gui/transfer_form.h"
#include "app/gui/transfer_progress.h"
#include "widgets/models/format.h"

#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QStackedWidget>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace arbor {

ExportDialog::ExportDialog(StoreSession& session, QString branch, QString position, QWidget* parent)
    : QDialog(parent), m_session(session), m_branch(std::move(branch)), m_position(std::move(position)),
      m_pages(new QStackedWidget(this)), m_progress(new TransferProgress(session, this)),
      m_close(new QPushButton(tr("Close"), this)), m_next(new QPushButton(this)) {
    setWindowTitle(tr("Export %1").arg(m_branch));
    m_pages->addWidget(makeTargetPage());
    m_pages->addWidget(m_progress);
    m_pages->addWidget(makeReportPage());
    m_next->setObjectName(QStringLiteral("exportNext"));
    m_next->setDefault(true);
    m_close->setAutoDefault(false);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(m_close);
    buttons->addWidget(m_next);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->addWidget(m_pages, 1);
    layout->addLayout(buttons);
    connect(m_next, &QPushButton::clicked, this, &ExportDialog::next);
    connect(m_close, &QPushButton::clicked, this, &QDialog::close);
    update();
    resize(560, 340);
}

QWidget* ExportDialog::makeTargetPage() {
    auto* page = new QWidget(this);
    auto* title = transferTitle(page, m_position.isEmpty() ? tr("%1 as it is now").arg(m_branch)
                                                           : tr("%1 at %2").arg(m_branch, m_position));
    m_asDirectory = new QRadioButton(tr("A &data directory that a plain PostgreSQL opens"), page);
    m_asDirectory->setChecked(true);
    m_asDump = new QRadioButton(tr("A d&ump"), page);
    m_target = new QLineEdit(page);
    m_target->setObjectName(QStringLiteral("exportTarget"));
    auto* line = withBrowse(m_target, tr("Choose where"), [this](QFileDialog& dialog) {
        dialog.setAcceptMode(QFileDialog::AcceptSave);
        if (m_asDirectory->isChecked())
            dialog.setFileMode(QFileDialog::Directory);
    });
    auto* targetLabel = new QLabel(tr("&To"), page);
    targetLabel->setBuddy(m_target);
    m_database = new QLineEdit(page);
    m_database->setObjectName(QStringLiteral("exportDatabase"));
    m_database->setPlaceholderText(tr("All, as a script of pg_dumpall"));
    m_databaseLabel = new QLabel(tr("Data&base"), page);
    m_databaseLabel->setBuddy(m_database);
    auto* form = new QFormLayout;
    form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    form->addRow(targetLabel, line);
    form->addRow(m_databaseLabel, m_database);
    auto* layout = transferPage(page, title);
    layout->addWidget(m_asDirectory);
    layout->addWidget(m_asDump);
    layout->addSpacing(8);
    layout->addLayout(form);
    layout->addStretch();
    connect(m_asDump, &QRadioButton::toggled, this, &ExportDialog::update);
    connect(m_target, &QLineEdit::textChanged, this, &ExportDialog::update);
    return page;
}

QWidget* ExportDialog::makeReportPage() {
    auto* page = new QWidget(this);
    m_reportTitle = transferTitle(page);
    m_reportTitle->setObjectName(QStringLiteral("exportReport"));
    m_report = transferList(page, tr("Report"));
    auto* layout = transferPage(page, m_reportTitle);
    layout->addWidget(m_report, 1);
    return page;
}

void ExportDialog::update() {
    const int page = m_pages->currentIndex();
    m_database->setVisible(m_asDump->isChecked());
    m_databaseLabel->setVisible(m_asDump->isChecked());
    m_target->setPlaceholderText(m_asDump->isChecked() ? QStringLiteral("/srv/dumps/%1.dump").arg(m_branch)
                                                       : tr("A directory that is new or empty"));
    m_next->setVisible(page == Target || (page == Report && !m_done));
    m_next->setText(page == Report ? tr("Back") : tr("Export"));
    m_next->setEnabled(page == Report || QDir::isAbsolutePath(m_target->text().trimmed()));
}

void ExportDialog::next() {
    if (m_pages->currentIndex() == Target) {
        begin();
        return;
    }
    m_pages->setCurrentIndex(Target);
    update();
}

void ExportDialog::begin() {
    const QString target = QDir::cleanPath(m_target->text().trimmed());
    QJsonObject params{{"branch", m_branch}, {m_asDump->isChecked() ? "dump" : "directory", target}};
    if (!m_position.isEmpty())
        params.insert(QStringLiteral("at"), m_position);
    if (m_asDump->isChecked() && !m_database->text().trimmed().isEmpty())
        params.insert(QStringLiteral("database"), m_database->text().trimmed());
    m_pages->setCurrentIndex(Running);
    update();
    m_progress->run(tr("Exporting %1 to %2").arg(m_branch, target), method::storeExport, params,
                    [this](const Result<QJsonValue>& answer) { showReport(answer); });
}

void ExportDialog::showReport(const Result<QJsonValue>& answer) {
    m_done = answer.has_value();
    m_pages->setCurrentIndex(Report);
    if (m_done) {
        const QJsonObject done = answer->toObject();
        m_reportTitle->setText(tr("%1 as of %2 were written to %3")
                                   .arg(bytesDisplay(bytesFromJson(done.value(QLatin1String("bytes")))),
                                        done.value(QLatin1String("lsn")).toString(),
                                        m_target->text().trimmed()));
        QJsonArray report = done.value(QLatin1String("report")).toArray();
        if (const auto pages = bytesFromJson(done.value(QLatin1String("checkedPages")));
            done.contains(QLatin1String("checkedPages")) && pages > 0)
            report.prepend(tr("%1 pages were compared with their checksums as they were written")
                               .arg(countDisplay(pages)));
        if (const QString message = done.value(QLatin1String("message")).toString(); !message.isEmpty())
            report.prepend(message);
        m_report->setHtml(sentencesAsHtml(report));
    } else if (answer.error().kind() == ErrorKind::Cancelled) {
        m_reportTitle->setText(tr("The export was cancelled"));
        m_report->setPlainText(tr("Nothing of it is left."));
    } else {
        m_reportTitle->setText(tr("The export failed"));
        m_report->setPlainText(QString::fromStdString(answer.error().message()));
    }
    update();
}

} // namespace arbor

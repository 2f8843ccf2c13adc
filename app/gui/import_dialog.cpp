#include "app/gui/import_dialog.h"

#include "app/control/methods.h"
#include "app/gui/picture_json.h"
#include "app/gui/transfer_form.h"
#include "app/gui/transfer_progress.h"
#include "widgets/models/format.h"

#include <QButtonGroup>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QRegularExpression>
#include <QStackedWidget>
#include <QTextBrowser>
#include <QUrl>
#include <QVBoxLayout>

namespace arbor {

namespace {

QLabel* factLabel(QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

QString messageOf(const Result<QJsonValue>& answer) {
    QString text = QString::fromStdString(answer.error().message());
    if (!text.isEmpty())
        text[0] = text[0].toUpper();
    return text;
}

// What people write for a server: with or without the scheme, or libpq's keywords.
QString addressOf(const QString& written, const QString& password) {
    if (written.contains(u'=') && !written.contains(QLatin1String("://")))
        return password.isEmpty() ? written
                                  : written + QStringLiteral(" password='%1'")
                                                  .arg(QString(password)
                                                           .replace(u'\\', QLatin1String("\\\\"))
                                                           .replace(u'\'', QLatin1String("\\'")));
    QUrl url(written.contains(QLatin1String("://")) ? written : QStringLiteral("postgresql://") + written);
    if (!password.isEmpty())
        url.setPassword(password);
    return url.isValid() ? url.toString(QUrl::FullyEncoded) : written;
}

} // namespace

ImportDialog::ImportDialog(StoreSession& session, std::function<QString(const QString&)> nameFault,
                           QWidget* parent)
    : QDialog(parent), m_session(session), m_nameFault(std::move(nameFault)),
      m_pages(new QStackedWidget(this)), m_ways(new QButtonGroup(this)),
      m_back(new QPushButton(tr("Back"), this)), m_next(new QPushButton(this)),
      m_close(new QPushButton(tr("Close"), this)) {
    setWindowTitle(tr("Bring your own database"));
    m_pages->addWidget(makeSourcePage());
    m_pages->addWidget(makeCheckPage());
    m_progress = new TransferProgress(session, this);
    m_pages->addWidget(m_progress);
    m_pages->addWidget(makeReportPage());
    m_next->setObjectName(QStringLiteral("importNext"));
    m_next->setDefault(true);
    m_back->setAutoDefault(false);
    m_close->setAutoDefault(false);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_back);
    buttons->addStretch();
    buttons->addWidget(m_close);
    buttons->addWidget(m_next);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->addWidget(m_pages, 1);
    layout->addLayout(buttons);
    connect(m_next, &QPushButton::clicked, this, &ImportDialog::next);
    connect(m_back, &QPushButton::clicked, this, &ImportDialog::back);
    connect(m_close, &QPushButton::clicked, this, &QDialog::close);
    choose(Way::Directory);
    resize(600, 480);
}

// --- From where

QWidget* ImportDialog::addWay(Way way, const QString& title, const QString& text) {
    auto* box = new QWidget(this);
    auto* button = new QRadioButton(title, box);
    button->setAccessibleDescription(text);
    auto* hint = new QLabel(text, box);
    hint->setForegroundRole(QPalette::PlaceholderText);
    hint->setWordWrap(true);
    auto* fields = new QWidget(box);
    auto* form = new QFormLayout(fields);
    form->setContentsMargins(0, 0, 0, 0);
    form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    auto* inside = new QVBoxLayout;
    inside->setContentsMargins(24, 0, 0, 4);
    inside->setSpacing(4);
    inside->addWidget(hint);
    inside->addWidget(fields);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(button);
    layout->addLayout(inside);
    m_ways->addButton(button, static_cast<int>(way));
    m_fields.append(fields);
    return box;
}

QLineEdit* ImportDialog::addField(QFormLayout* form, const QString& label, const char* name,
                                  const QString& hint) {
    auto* field = new QLineEdit(form->parentWidget());
    field->setObjectName(QLatin1String(name));
    field->setPlaceholderText(hint);
    form->addRow(label, field);
    connect(field, &QLineEdit::textChanged, this, &ImportDialog::update);
    return field;
}

void ImportDialog::addBrowse(QFormLayout* form, QLineEdit* field, bool directory) {
    int row = 0;
    QFormLayout::ItemRole role = QFormLayout::FieldRole;
    form->getWidgetPosition(field, &row, &role);
    form->removeWidget(field);
    form->setLayout(row, role,
                    withBrowse(field, directory ? tr("Choose a directory") : tr("Choose a file"),
                               [directory](QFileDialog& dialog) {
                                   dialog.setFileMode(directory ? QFileDialog::Directory
                                                                : QFileDialog::AnyFile);
                               }));
}

QWidget* ImportDialog::makeSourcePage() {
    auto* page = new QWidget(this);
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(addWay(Way::Directory, tr("A &data directory"),
                             tr("Of a server on this machine that is stopped, or has crashed. It is copied "
                                "and stays as it is.")));
    layout->addWidget(
        addWay(Way::Server, tr("A running &server"),
               tr("Copied over the network by pg_basebackup while it goes on working. It is only read.")));
    layout->addWidget(
        addWay(Way::Dump, tr("A d&ump"), tr("Of pg_dump, in any of its formats, or of pg_dumpall.")));
    const auto form = [this](Way way) {
        return static_cast<QFormLayout*>(m_fields[static_cast<int>(way)]->layout());
    };
    m_directory = addField(form(Way::Directory), tr("Directory"), "importDirectory",
                           QStringLiteral("/var/lib/postgresql/15/main"));
    addBrowse(form(Way::Directory), m_directory, true);
    m_url = addField(form(Way::Server), tr("Address"), "importUrl",
                     QStringLiteral("postgresql://postgres@host:5432/postgres"));
    m_password = addField(form(Way::Server), tr("Password"), "importPassword",
                          tr("None, or from the engine's .pgpass"));
    m_password->setEchoMode(QLineEdit::Password);
    m_dump = addField(form(Way::Dump), tr("File"), "importDump", QStringLiteral("/srv/dumps/shop.dump"));
    addBrowse(form(Way::Dump), m_dump, false);
    for (const QLineEdit* field : {m_directory, m_url, m_dump})
        connect(field, &QLineEdit::textChanged, this, &ImportDialog::proposeName);
    auto* line = new QFrame(page);
    line->setFrameShape(QFrame::HLine);
    line->setForegroundRole(QPalette::Mid);
    layout->addWidget(line);
    auto* naming = new QWidget(page);
    auto* nameForm = new QFormLayout(naming);
    nameForm->setContentsMargins(0, 0, 0, 0);
    nameForm->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    m_name = addField(nameForm, tr("&Name of the branch"), "importName", {});
    layout->addWidget(naming);
    m_fault = new QLabel(page);
    m_fault->setObjectName(QStringLiteral("importFault"));
    m_fault->setTextFormat(Qt::PlainText);
    m_fault->setWordWrap(true);
    layout->addWidget(m_fault);
    layout->addStretch();
    connect(m_ways, &QButtonGroup::idClicked, this, [this](int way) { choose(static_cast<Way>(way)); });
    return page;
}

void ImportDialog::choose(Way way) {
    m_ways->button(static_cast<int>(way))->setChecked(true);
    for (int i = 0; i < m_fields.size(); ++i)
        m_fields[i]->setVisible(i == static_cast<int>(way));
    proposeName();
    update();
    if (QLineEdit* field = way == Way::Directory ? m_directory : way == Way::Server ? m_url : m_dump)
        field->setFocus();
}

ImportDialog::Way ImportDialog::way() const {
    return static_cast<Way>(m_ways->checkedId());
}

QString ImportDialog::source() const {
    const QLineEdit* field = way() == Way::Directory ? m_directory : way() == Way::Server ? m_url : m_dump;
    return field->text().trimmed();
}

// After the directory, the host or the file; what is not allowed in a name becomes "-".
QString ImportDialog::proposedName() const {
    QString stem;
    if (way() == Way::Server)
        stem = QUrl(addressOf(source(), {})).host();
    else
        stem = QFileInfo(QDir::cleanPath(source())).completeBaseName();
    stem = stem.toLower().replace(QRegularExpression(QStringLiteral("[^a-z0-9]+")), QStringLiteral("-"));
    while (stem.startsWith(u'-'))
        stem.remove(0, 1);
    while (stem.endsWith(u'-'))
        stem.chop(1);
    if (stem.isEmpty() || stem == QLatin1String("main") || stem == QLatin1String("data"))
        stem = QStringLiteral("imported");
    QString name = stem;
    for (int n = 2; !m_nameFault(name).isEmpty() && n < 1000; ++n)
        name = QStringLiteral("%1-%2").arg(stem).arg(n);
    return name;
}

QJsonObject ImportDialog::params() const {
    switch (way()) {
    case Way::Directory:
        return {{"directory", QDir::cleanPath(source())}};
    case Way::Server:
        return {{"from", addressOf(source(), m_password->text())}};
    case Way::Dump:
        return {{"dump", QDir::cleanPath(source())}};
    }
    return {};
}

// A name that follows the source until somebody writes another; one that was cleared follows it again.
void ImportDialog::proposeName() {
    if (!m_fault || (m_name->text() != m_proposed && !m_name->text().isEmpty()))
        return;
    m_proposed = source().isEmpty() ? QString() : proposedName();
    m_name->setText(m_proposed);
}

// What can be pressed, and what is in the way.
void ImportDialog::update() {
    if (!m_fault)
        return; // still being built
    const int page = m_pages->currentIndex();
    const QString name = m_name->text().trimmed();
    QString fault = name.isEmpty() ? QString() : m_nameFault(name);
    if (!source().isEmpty() && way() != Way::Server && !QDir::isAbsolutePath(source()))
        fault = tr("The path begins with /.");
    if (isWithoutStore() && name == QLatin1String("main"))
        fault = tr("main is the first branch of the store that will be made for it.");
    m_fault->setText(fault);
    m_fault->setVisible(!fault.isEmpty());
    m_back->setVisible(page == Check || (page == Report && !m_done));
    m_next->setVisible(page != Running);
    m_next->setText(page == Source  ? tr("Look at it")
                    : page == Check ? tr("Import")
                    : m_done        ? tr("Show the branch")
                                    : tr("Try again"));
    m_next->setEnabled(page == Source  ? !source().isEmpty() && !name.isEmpty() && fault.isEmpty()
                       : page == Check ? m_checked
                                       : true);
}

void ImportDialog::next() {
    switch (m_pages->currentIndex()) {
    case Source:
        check();
        break;
    case Check:
        begin();
        break;
    default:
        if (!m_done) {
            check();
            break;
        }
        Q_EMIT imported(m_name->text().trimmed());
        accept();
    }
}

void ImportDialog::back() {
    ++m_asked;
    m_pages->setCurrentIndex(Source);
    update();
}

// --- What would come in

QWidget* ImportDialog::makeCheckPage() {
    auto* page = new QWidget(this);
    m_checkTitle = transferTitle(page);
    m_checkTitle->setObjectName(QStringLiteral("importCheck"));
    auto* facts = new QWidget(page);
    m_facts = new QFormLayout(facts);
    m_facts->setContentsMargins(0, 0, 0, 0);
    for (const auto& [label, value] :
         std::initializer_list<std::pair<QString, QLabel**>>{{tr("Version"), &m_version},
                                                             {tr("Size"), &m_size},
                                                             {tr("Space"), &m_space},
                                                             {tr("Rights"), &m_rights}}) {
        *value = factLabel(facts);
        m_facts->addRow(label, *value);
    }
    m_changes = transferList(page, tr("What will be different"));
    auto* layout = transferPage(page, m_checkTitle);
    layout->addWidget(facts);
    layout->addSpacing(4);
    layout->addWidget(m_changes, 1);
    return page;
}

void ImportDialog::check() {
    m_checked = false;
    m_checkTitle->setText(tr("Looking at it…"));
    m_facts->parentWidget()->hide();
    m_changes->clear();
    m_pages->setCurrentIndex(Check);
    update();
    const bool isOnItsWay = m_session.state() == StoreSession::State::Connecting;
    if (m_session.client().isConnected() || !(isWithoutStore() || isOnItsWay)) {
        askCheck();
        return;
    }
    if (!isOnItsWay) {
        m_engineStarted = true;
        m_session.startEngine();
    }
    whenSettled([this, asked = ++m_asked] {
        if (asked != m_asked)
            return;
        if (m_session.client().isConnected())
            askCheck();
        else
            showCheck(makeError(ErrorKind::Unreachable, "{}", m_session.problem().toStdString()));
    });
}

void ImportDialog::whenSettled(std::function<void()> then) {
    auto* once = new QObject(this);
    const auto look = [this, once, then = std::move(then)] {
        if (m_session.state() == StoreSession::State::Connecting)
            return;
        once->deleteLater();
        disconnect(&m_session, nullptr, once, nullptr);
        then();
    };
    connect(&m_session, &StoreSession::stateChanged, once, look);
}

void ImportDialog::done(int result) {
    if (m_engineStarted)
        m_session.endEngineWithoutStore();
    QDialog::done(result);
}

void ImportDialog::askCheck() {
    m_session.request(method::importCheck, params(), this,
                      [this, asked = ++m_asked](const Result<QJsonValue>& answer) {
                          if (asked == m_asked)
                              showCheck(answer);
                      });
}

void ImportDialog::showCheck(const Result<QJsonValue>& answer) {
    if (!answer) {
        m_checkTitle->setText(tr("It cannot be brought in as it is"));
        m_changes->setPlainText(messageOf(answer));
        return;
    }
    const QJsonObject found = answer->toObject();
    m_checked = found.value(QLatin1String("fits")).toBool();
    m_checkTitle->setText(m_checked ? tr("It can be brought in") : tr("There is not enough room for it"));
    m_version->setText(tr("PostgreSQL %1").arg(found.value(QLatin1String("pgMajor")).toInt()));
    const std::uint64_t bytes = bytesFromJson(found.value(QLatin1String("bytes")));
    m_size->setText(bytes == 0 ? tr("The server does not say") : bytesDisplay(bytes));
    const QString free = bytesDisplay(bytesFromJson(found.value(QLatin1String("freeBytes"))));
    const QString where = isWithoutStore() ? tr("%1 are free where the store will be made").arg(free)
                                           : tr("%1 are free in the store").arg(free);
    m_space->setText(m_checked ? where : tr("%1: make room first").arg(where));
    m_rights->setText(way() == Way::Server ? tr("The role may copy the server")
                                           : tr("The engine can read it"));
    m_facts->parentWidget()->show();
    const QJsonArray report = found.value(QLatin1String("report")).toArray();
    m_changes->setHtml(
        report.isEmpty() ? QString() : tr("What will be different in the branch:") + sentencesAsHtml(report));
    update();
    m_next->setFocus();
}

// --- It comes in

void ImportDialog::begin() {
    m_pages->setCurrentIndex(Running);
    update();
    if (!isWithoutStore()) {
        import();
        return;
    }
    m_progress->announce(tr("Making a store for it"));
    m_session.makeStore(false);
    whenSettled([this] {
        if (m_session.state() == StoreSession::State::Connected)
            import();
        else
            showReport(makeError(ErrorKind::Io, "{}", m_session.problem().toStdString()));
    });
}

void ImportDialog::import() {
    QJsonObject all = params();
    const QString name = m_name->text().trimmed();
    all.insert(QStringLiteral("name"), name);
    m_progress->run(tr("Importing %1").arg(name), method::storeImport, all,
                    [this](const Result<QJsonValue>& answer) { showReport(answer); });
}

QWidget* ImportDialog::makeReportPage() {
    auto* page = new QWidget(this);
    m_reportTitle = transferTitle(page);
    m_reportTitle->setObjectName(QStringLiteral("importReport"));
    m_report = transferList(page, tr("Report"));
    auto* layout = transferPage(page, m_reportTitle);
    layout->addWidget(m_report, 1);
    return page;
}

void ImportDialog::showReport(const Result<QJsonValue>& answer) {
    m_done = answer.has_value();
    m_pages->setCurrentIndex(Report);
    if (m_done) {
        const QJsonObject done = answer->toObject();
        const int errors = done.value(QLatin1String("errorCount")).toInt();
        m_reportTitle->setText(tr("%1 is there: %2")
                                   .arg(m_name->text().trimmed(),
                                        bytesDisplay(bytesFromJson(done.value(QLatin1String("bytes"))))));
        QString html = sentencesAsHtml(done.value(QLatin1String("report")).toArray());
        if (errors > 0)
            html = tr("The dump was restored with %n error(s):", nullptr, errors) +
                   sentencesAsHtml(done.value(QLatin1String("errors")).toArray()) + html;
        m_report->setHtml(html.isEmpty() ? tr("Nothing had to be changed.") : html);
    } else {
        const bool cancelled = answer.error().kind() == ErrorKind::Cancelled;
        m_reportTitle->setText(cancelled ? tr("The import was cancelled") : tr("The import failed"));
        m_report->setPlainText(cancelled ? tr("Nothing of it is left in the store.") : messageOf(answer));
    }
    update();
    m_next->setFocus();
}

} // namespace arbor

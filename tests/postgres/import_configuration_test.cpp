// What an imported cluster's configuration becomes, line by line.
#include "app/engine/import_configuration.h"
#include "app/engine/page_checksum.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace arbor;

class ImportConfigurationTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_directory;

    std::string write(const QString& name, const QByteArray& content) {
        const QString path = m_directory.path() + "/" + name;
        QDir().mkpath(QFileInfo(path).path());
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
            qFatal("cannot write %s", qPrintable(path));
        return path.toStdString();
    }
    ImportedConfiguration take(const QByteArray& content, bool outsideIsHere = true) {
        ConfigurationSurroundings here;
        here.dataDirectory = (m_directory.path() + "/data").toStdString();
        here.outsideIsHere = outsideIsHere;
        here.canLoad = [](const std::string& library) { return library != "absent"; };
        here.knowsLocale = [](const std::string& locale) { return locale == "C"; };
        auto taken = importConfiguration(write("data/postgresql.conf", content), here);
        if (!taken)
            qFatal("%s", taken.error().message().c_str());
        return *taken;
    }
    static bool says(const ImportedConfiguration& taken, const char* words) {
        return std::any_of(taken.report.begin(), taken.report.end(),
                           [&](const std::string& line) { return line.find(words) != std::string::npos; });
    }

  private slots:
    void linesAreReadAsPostgresReadsThem() {
        const auto check = [](const char* line, const char* name, const char* value) {
            const ConfigurationLine read = parseConfigurationLine(line);
            QCOMPARE(read.name, std::string(name));
            QCOMPARE(read.value, std::string(value));
        };
        check("Port = 5433 # the second", "port", "5433");
        check("port 5433", "port", "5433");
        check("  archive_command='cp %p ''x''/%f' # c", "archive_command", "cp %p 'x'/%f");
        check("work_mem=7MB", "work_mem", "7MB");
        check("pg_stat_statements.max = 1000", "pg_stat_statements.max", "1000");
        check("# port = 1", "", "");
        check("   ", "", "");
        check("include_dir 'conf.d'", "include_dir", "conf.d");
    }

    void whatStaysInsideIsLeftAsItWasWritten() {
        const QByteArray lines =
            "# mine\nwork_mem = 7MB   # enough\n\nlog_directory = 'log'\nlc_messages = 'C'\n"
            "shared_preload_libraries = 'pg_stat_statements'\n";
        const ImportedConfiguration taken = take(lines);
        QCOMPARE(QByteArray::fromStdString(taken.text), lines);
        QVERIFY(taken.report.empty());
        QCOMPARE(taken.values.at("work_mem"), std::string("7MB"));
    }

    void whatActsOutsideIsCommentedOutAndReported() {
        const ImportedConfiguration taken = take(
            "archive_mode = on\narchive_command = 'cp %p /archive/%f'\nprimary_conninfo = 'host=a "
            "password=b'\n"
            "data_directory = '/elsewhere'\nrecovery_target_time = '2020-01-01'\nlog_directory = '/var/log'\n"
            "ssl = on\nlc_messages = 'xx_XX'\nsynchronous_standby_names = '*'\nexternal_pid_file = "
            "'/run/x'\n");
        for (const std::string& line :
             {std::string("archive_mode"), std::string("archive_command"), std::string("primary_conninfo"),
              std::string("data_directory"), std::string("recovery_target_time"),
              std::string("log_directory"), std::string("ssl"), std::string("lc_messages"),
              std::string("synchronous_standby_names"), std::string("external_pid_file")}) {
            QVERIFY2(says(taken, line.c_str()), line.c_str());
            QVERIFY2(("\n" + taken.text).find("\n" + line) == std::string::npos, taken.text.c_str());
            QVERIFY2(taken.text.find("# " + line) != std::string::npos, line.c_str());
        }
    }

    void aReportShowsNoPassword() {
        const ImportedConfiguration taken = take("primary_conninfo = 'host=a password=hidden'\n");
        QVERIFY(says(taken, "primary_conninfo"));
        QVERIFY(!says(taken, "hidden"));
        QVERIFY(taken.text.find("hidden") != std::string::npos); // the file is as private as it was
    }

    void whatWasOffAnywayIsNotWorthASentence() {
        QVERIFY(take("archive_mode = off\narchive_command = ''\nssl = off\n").report.empty());
    }

    void includesBecomeOneFile() {
        write("outside/b.conf", "work_mem = '2MB'\narchive_command = 'b'\n");
        write("outside/a.conf", "maintenance_work_mem = '3MB'\n");
        write("outside/.hidden.conf", "broken\n");
        write("data/inside.conf", "temp_buffers = '4MB'\n");
        const QByteArray outside = m_directory.path().toUtf8() + "/outside";
        const ImportedConfiguration taken =
            take("include 'inside.conf'\ninclude_dir '" + outside +
                 "'\ninclude_if_exists '/nowhere.conf'\ninclude '/nowhere.conf'\n");
        const std::string& text = taken.text;
        QVERIFY(text.find("\ntemp_buffers") < text.find("\nmaintenance_work_mem"));
        QVERIFY(text.find("\nmaintenance_work_mem") < text.find("\nwork_mem"));
        QVERIFY(text.find("broken") == std::string::npos);
        QVERIFY(text.find("\ninclude") == std::string::npos);
        QVERIFY(says(taken, "stands in postgresql.conf now"));
        QVERIFY(!says(taken, "inside.conf"));
        QVERIFY(says(taken, "archive_command"));
        QVERIFY(says(taken, "/nowhere.conf could not be read"));
    }

    void filesOfAnotherMachineAreNotTakenFromThisOne() {
        write("outside/b.conf", "work_mem = '2MB'\n");
        const ImportedConfiguration taken =
            take("include '" + m_directory.path().toUtf8() + "/outside/b.conf'\n", false);
        QVERIFY(taken.text.find("work_mem") == std::string::npos);
        QVERIFY(says(taken, "was not in the copy"));
    }

    void aFileThatIncludesItselfIsAnError() {
        ConfigurationSurroundings here;
        QVERIFY(!importConfiguration(write("data/postgresql.conf", "include 'postgresql.conf'\n"), here));
    }

    void librariesThatCannotOrMustNotLoadAreLeftOut() {
        const ImportedConfiguration taken =
            take("shared_preload_libraries = 'pg_stat_statements, absent, \"pg_cron\"'\n");
        QVERIFY(taken.text.find("\nshared_preload_libraries = 'pg_stat_statements'\n") != std::string::npos);
        QVERIFY(says(taken, "absent is not loaded by shared_preload_libraries: it is not installed here"));
        QVERIFY(says(taken, "pg_cron is not loaded by shared_preload_libraries: it runs jobs on a schedule"));
    }

    void aPageOfZerosIsNewAndAnythingElseIsCompared() {
        std::vector<std::byte> page(8192);
        QVERIFY(pageIsWhole(page, 7));
        page[100] = std::byte{1};
        QVERIFY(!pageIsWhole(page, 7));
        const std::uint16_t sum = pageChecksum(page, 7);
        std::memcpy(page.data() + 8, &sum, sizeof sum);
        QVERIFY(pageIsWhole(page, 7));
        QVERIFY(!pageIsWhole(page, 8)); // a page in another's place
    }
};

QTEST_GUILESS_MAIN(ImportConfigurationTest)
#include "import_configuration_test.moc"

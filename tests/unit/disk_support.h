// What the tests of storage/disk share.
#pragma once

#include "storage/disk/posix_disk.h"
#include "storage/disk/simulated_disk.h"
#include "tests/support/test_seed.h"

#include <QByteArray>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTest>

#include <memory>
#include <string>
#include <string_view>

namespace arbor::test {

inline Bytes bytesOf(std::string_view text) {
    return std::as_bytes(std::span(text));
}

// ok(status) with the error's text in the test's output: QVERIFY2(ok(s), why(s))
template <class Answer>
const char* why(const Answer& answer) {
    static thread_local std::string text;
    text = answer ? "ok" : answer.error().message();
    return text.c_str();
}
#define VERIFY_OK(expression)                                 \
    do {                                                      \
        const auto& arborAnswer = (expression);               \
        QVERIFY2(arborAnswer, arbor::test::why(arborAnswer)); \
    } while (false)
#define VERIFY_FAILS(expression, errorKind)                                                 \
    do {                                                                                    \
        const auto& arborAnswer = (expression);                                             \
        QVERIFY(!arborAnswer);                                                              \
        QVERIFY2(arborAnswer.error().kind() == (errorKind), arbor::test::why(arborAnswer)); \
    } while (false)

// A disk with an empty directory on it.
struct Subject {
    std::unique_ptr<QTemporaryDir> temporary; // of a PosixDisk
    std::unique_ptr<Disk> disk;
    std::string root;

    std::string operator/(std::string_view name) const { return root + "/" + std::string(name); }
};

inline Subject makeSubject(const QString& which) {
    Subject subject;
    if (which == "posix") {
        subject.temporary = std::make_unique<QTemporaryDir>();
        subject.disk = std::make_unique<PosixDisk>();
        subject.root = subject.temporary->path().toStdString();
    } else {
        subject.disk = std::make_unique<SimulatedDisk>(1);
        subject.root = "/root";
        if (!subject.disk->makeDirectory(subject.root))
            qFatal("no root on the simulated disk");
    }
    return subject;
}

inline void bothDisks() {
    QTest::addColumn<QString>("which");
    QTest::newRow("posix") << "posix";
    QTest::newRow("simulated") << "simulated";
}

// How many rounds of a random test, or how far apart the places of a sweep: `normal`, ten times as many in a
// long run (ARBOR_FULL=1), an eighth under a sanitizer, which is that much slower.
inline int rounds(int normal) {
    return normal * (qEnvironmentVariableIntValue("ARBOR_FULL") > 0 ? 10 : 1) /
           static_cast<int>(test::slowness);
}

// The seed of a random test: ARBOR_SEED repeats a run.
inline std::uint64_t seedOfRun() {
    const QByteArray given = qgetenv("ARBOR_SEED");
    const std::uint64_t seed =
        given.isEmpty() ? QRandomGenerator::system()->generate64() : given.toULongLong();
    qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
    return seed;
}

} // namespace arbor::test

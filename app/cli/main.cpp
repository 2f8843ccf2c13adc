#include "app/cli/session.h"

#include <QCoreApplication>

#include <clocale>
#include <iostream>
#include <langinfo.h>
#include <string_view>
#include <unistd.h>

int main(int argc, char** argv) {
    // The words as they came, before Qt takes its own options out of them; and the locale, before Qt makes it
    // UTF-8.
    const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    std::setlocale(LC_ALL, "");
    const bool utf8 = nl_langinfo(CODESET) == std::string_view("UTF-8");
    int one = 1;
    QCoreApplication application(one, argv);
    const bool dumb = qEnvironmentVariable("TERM") == "dumb";
    // https://no-color.org: set and not empty
    const bool colour = isatty(STDOUT_FILENO) == 1 && !dumb && qEnvironmentVariableIsEmpty("NO_COLOR");
    return arbor::runCommandLine(
        words, {std::cout, std::cerr, isatty(STDERR_FILENO) == 1 && !dumb, utf8 && !dumb, colour});
}

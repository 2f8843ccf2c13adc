#include "app/cli/session.h"

#include <QCoreApplication>

#include <iostream>
#include <unistd.h>

int main(int argc, char** argv) {
    // The words as they came, before Qt takes its own options out of them.
    const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    int one = 1;
    QCoreApplication application(one, argv);
    const bool plain = qEnvironmentVariableIsSet("NO_COLOR") || qEnvironmentVariable("TERM") == "dumb";
    return arbor::runCommandLine(words, {std::cout, std::cerr, isatty(STDERR_FILENO) == 1, !plain});
}

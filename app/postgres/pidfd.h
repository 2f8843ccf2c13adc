// <sys/pidfd.h>, which glibc 2.36 (Debian 12) ships without the declarations being marked as C.
#pragma once

#include <fcntl.h>
#include <signal.h>

extern "C" {
#include <sys/pidfd.h>
}

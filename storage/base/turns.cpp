#include "storage/base/turns.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace arbor {

namespace {

// The first form of struct sched_attr (linux/sched/types.h), which glibc 2.36 does not have.
struct Attributes {
    std::uint32_t size = sizeof(Attributes);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0; // nanoseconds
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};

// The most that the kernel takes (kernel/sched/syscalls.c); its own figure is some 3 ms.
constexpr std::uint64_t longest = 100'000'000;

// What it was before; 0 where it cannot be had, which is also how a thread gets the kernel's own again.
std::uint64_t setRuntime(std::uint64_t nanoseconds) {
    Attributes now;
    if (syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) != 0)
        return 0;
    const std::uint64_t before = now.runtime;
    now.runtime = nanoseconds;
    static_cast<void>(syscall(SYS_sched_setattr, 0, &now, 0));
    return before;
}

} // namespace

LongTurns::LongTurns() : m_before(setRuntime(longest)) {}

LongTurns::~LongTurns() {
    setRuntime(m_before);
}

} // namespace arbor

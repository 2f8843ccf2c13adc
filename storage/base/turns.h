// How soon a thread gets a processor that others want too. From Linux 6.12 on a thread may say how long it
// wants to run at a time (sched_setattr(2), sched_runtime of SCHED_OTHER; the EEVDF scheduler): who asks for
// more waits longer for it, and everybody gets the same share in the end. It takes no privilege.
#pragma once

#include <cstdint>

namespace arbor {

// The calling thread does much work that nobody waits for: until the end of the scope others get a processor
// before it. Without effect where the kernel knows no such thing.
class LongTurns {
  public:
    LongTurns();
    ~LongTurns();
    LongTurns(const LongTurns&) = delete;
    LongTurns& operator=(const LongTurns&) = delete;

  private:
    std::uint64_t m_before; // nanoseconds
};

} // namespace arbor

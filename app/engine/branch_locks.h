// Holds branches for one operation at a time.
#pragma once

#include "app/engine/service.h"

namespace arbor {

class Service::BranchLocks {
  public:
    BranchLocks(Service& service, std::set<BranchId> branches)
        : m_service(service), m_branches(std::move(branches)) {
        std::unique_lock lock(m_service.m_lockMutex);
        // all or none, so that two operations never wait for each other
        m_service.m_lockChanged.wait(lock, [&] {
            for (const BranchId branch : m_branches)
                if (m_service.m_locked.contains(branch))
                    return false;
            return true;
        });
        m_service.m_locked.insert(m_branches.begin(), m_branches.end());
    }
    ~BranchLocks() {
        const std::lock_guard lock(m_service.m_lockMutex);
        for (const BranchId branch : m_branches)
            m_service.m_locked.erase(branch);
        m_service.m_lockChanged.notify_all();
    }
    BranchLocks(const BranchLocks&) = delete;
    BranchLocks& operator=(const BranchLocks&) = delete;

  private:
    Service& m_service;
    const std::set<BranchId> m_branches;
};

} // namespace arbor

#include "storage/pages/page_packer.h"

#include "storage/pages/segment_store.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace arbor {

PagePacker::PagePacker(SegmentStore& segments, std::size_t pages)
    : m_segments(segments), m_capacity(std::min(pages, segments.promisableImages())),
      m_slots(std::make_unique_for_overwrite<Held[]>(m_capacity)) {}

PagePacker::~PagePacker() {
    {
        const MutexLock lock(m_mutex);
        m_stopping = true;
        m_changed.notifyAll();
    }
    if (m_thread.joinable())
        m_thread.join();
}

void PagePacker::packInBackground() {
    if (m_capacity > 0)
        m_thread = std::thread([this] { packLoop(); });
}

std::optional<ImageLocation> PagePacker::hold(const ImageHeader& header, Bytes page) {
    const MutexLock lock(m_mutex);
    if (m_next - m_oldest >= m_capacity || m_failure || !m_segments.promiseImage())
        return std::nullopt;
    const std::uint64_t ticket = m_next;
    Held& held = slotOf(ticket);
    held.header = header;
    std::memcpy(held.page.data(), page.data(), blockSize);
    m_places.emplace_back();
    ++m_next;
    m_held.store(m_next - m_oldest, std::memory_order_relaxed);
    // seldom: to wake a thread costs more than to copy a page
    if (m_idle && isWorthWaking()) {
        m_idle = false;
        m_changed.notifyAll();
    }
    return ImageLocation::ofTicket(ticket);
}

void PagePacker::makeRoom() {
    if (m_held.load(std::memory_order_relaxed) < m_capacity)
        return;
    const MutexLock lock(m_mutex);
    if (m_next - m_oldest >= m_capacity && m_toPack < m_next && !m_failure)
        packNext();
}

// Takes the next page, and is done with it on return; the lock is given up in between.
void PagePacker::packNext() {
    const std::uint64_t ticket = m_toPack++;
    const Held& held = slotOf(ticket);
    m_mutex.unlock();
    auto place = m_segments.appendPromised(held.header, PreparedPage(held.page));
    m_mutex.lock();
    if (place)
        m_places[ticket - m_forgotten] = *place;
    else if (!m_failure)
        m_failure.emplace(std::move(place).error());
    while (m_oldest < m_toPack && isPacked(m_oldest))
        ++m_oldest;
    if (m_waiting > 0)
        m_changed.notifyAll();
    m_held.store(m_next - m_oldest, std::memory_order_relaxed);
}

void PagePacker::packLoop() {
    const MutexLock lock(m_mutex);
    while (!m_stopping) {
        if (m_failure || !isWorthWaking()) {
            m_idle = true;
            m_changed.wait(m_mutex);
            continue;
        }
        m_idle = false;
        while (m_toPack < m_next && !m_failure && !m_stopping)
            packNext();
    }
}

Status PagePacker::packAll() {
    const MutexLock lock(m_mutex);
    const std::uint64_t end = m_next;
    while (m_oldest < end && !m_failure) {
        if (m_toPack < end) {
            packNext();
            continue;
        }
        ++m_waiting; // others are at the last of them
        m_changed.wait(m_mutex);
        --m_waiting;
    }
    if (m_failure)
        return Error(*m_failure);
    return {};
}

ImageLocation PagePacker::current(ImageLocation location) const {
    if (!location.isTicket())
        return location;
    const MutexLock lock(m_mutex);
    const std::uint64_t ticket = location.ticket();
    return ticket >= m_forgotten && isPacked(ticket) ? placeOf(ticket) : location;
}

void PagePacker::settle(std::span<PageVersion> versions) const {
    const MutexLock lock(m_mutex);
    for (PageVersion& version : versions)
        if (version.location.isTicket())
            version.location = placeOf(version.location.ticket());
}

Status PagePacker::read(ImageLocation location, InodeId inode, BlockNumber block, Position position,
                        MutableBytes page) const {
    if (location.isTicket()) {
        const MutexLock lock(m_mutex);
        const std::uint64_t ticket = location.ticket();
        if (ticket < m_forgotten)
            return makeError(ErrorKind::NotFound, "the page is packed and its ticket forgotten");
        if (!isPacked(ticket)) {
            const Held& held = slotOf(ticket);
            assert(held.header.inode == inode && held.header.block == block &&
                   held.header.position == position);
            std::memcpy(page.data(), held.page.data(), blockSize);
            return {};
        }
        location = placeOf(ticket);
    }
    return m_segments.read(location, inode, block, position, page);
}

std::uint64_t PagePacker::nextTicket() const {
    const MutexLock lock(m_mutex);
    return m_next;
}

void PagePacker::forgetBefore(std::uint64_t ticket) {
    const MutexLock lock(m_mutex);
    ticket = std::min(ticket, m_oldest);
    m_places.erase(m_places.begin(), m_places.begin() + static_cast<std::ptrdiff_t>(ticket - m_forgotten));
    m_forgotten = ticket;
}

} // namespace arbor

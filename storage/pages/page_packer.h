// Pages that were accepted and are not packed yet: whoever writes a page only copies it, and a thread, on a
// processor that would idle, compresses it and appends its image to a segment. Where an image will lie is
// known then; until then a ticket stands for it.
//
// Invariants
//  1. A page is readable by its ticket as soon as hold() returned: from memory, then from the segment.
//  2. What hold() took has its space on disk: room for an image that did not compress was promised by the
//  segments, so that packing cannot lack it.
//  3. Pages are taken for packing in the order of their tickets, so that what was written one after another
//  lies so, but for neighbours that two threads pack at once. Nobody waits for room: who finds none packs the
//  oldest page himself.
//  4. A ticket never reaches the index: a sync packs what it collects.
//
// Thread-safe. Its lock comes after a timeline's and is not held while anything is packed.
#pragma once

#include "storage/base/mutex.h"
#include "storage/pages/image.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <thread>

namespace arbor {

class SegmentStore;

class PagePacker {
  public:
    // Holds up to `pages` pages (0: none), fewer when segments are small.
    PagePacker(SegmentStore& segments, std::size_t pages);
    ~PagePacker();
    // From now on a thread packs whenever half of the room is taken; without it packAll() does.
    void packInBackground();

    // Packs a page if no other would find room. Before the lock under which hold() is called.
    void makeRoom();
    // Copies the page, which must not be one of zeros. None when there is no room, here or promised.
    std::optional<ImageLocation> hold(const ImageHeader& header, Bytes page);
    // Where the image lies, or the ticket while that is not known.
    ImageLocation current(ImageLocation location) const;
    // SegmentStore::read(), by ticket too. NotFound also when the ticket was forgotten: look the page up
    // again.
    Status read(ImageLocation location, InodeId inode, BlockNumber block, Position position,
                MutableBytes page) const;
    // The same for many; all must be packed.
    void settle(std::span<PageVersion> versions) const;
    // On return current() of every ticket that was given before the call is its place in a segment.
    Status packAll();
    // The next ticket; and that whoever still comes with one before `ticket` can look the page up again.
    std::uint64_t nextTicket() const;
    void forgetBefore(std::uint64_t ticket);

  private:
    struct Held {
        ImageHeader header;
        std::array<std::byte, blockSize> page;
    };
    bool isWorthWaking() const ARBOR_REQUIRES(m_mutex) {
        return m_next - m_toPack >= std::max<std::size_t>(1, m_capacity / 2);
    }
    Held& slotOf(std::uint64_t ticket) const { return m_slots[ticket % m_capacity]; }
    // Of a ticket that is not forgotten; that of a page of zeros until it is packed.
    const ImageLocation& placeOf(std::uint64_t ticket) const ARBOR_REQUIRES(m_mutex) {
        return m_places[ticket - m_forgotten];
    }
    bool isPacked(std::uint64_t ticket) const ARBOR_REQUIRES(m_mutex) {
        return !placeOf(ticket).isZeroPage();
    }
    void packNext() ARBOR_REQUIRES(m_mutex);
    void packLoop();

    SegmentStore& m_segments;
    const std::size_t m_capacity;
    const std::unique_ptr<Held[]> m_slots; // a page's from hold() until it is packed, and nobody writes it
    std::atomic<std::size_t> m_held{0};    // m_next - m_oldest, for makeRoom()

    mutable Mutex m_mutex;
    Condition m_changed;
    std::uint64_t m_next ARBOR_GUARDED_BY(m_mutex) = 0;           // tickets from here on were not given yet
    std::uint64_t m_toPack ARBOR_GUARDED_BY(m_mutex) = 0;         // from here on nobody packs them yet
    std::uint64_t m_oldest ARBOR_GUARDED_BY(m_mutex) = 0;         // before here they are packed
    std::uint64_t m_forgotten ARBOR_GUARDED_BY(m_mutex) = 0;      // before here they are forgotten
    std::deque<ImageLocation> m_places ARBOR_GUARDED_BY(m_mutex); // from m_forgotten on
    std::optional<Error> m_failure ARBOR_GUARDED_BY(m_mutex);
    bool m_idle ARBOR_GUARDED_BY(m_mutex) = false;
    int m_waiting ARBOR_GUARDED_BY(m_mutex) = 0; // for m_oldest to move
    bool m_stopping ARBOR_GUARDED_BY(m_mutex) = false;
    std::thread m_thread;
};

} // namespace arbor

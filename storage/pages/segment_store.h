// The segments: append-only files of page images below pages/.
//
// Invariants
//  1. A segment is appended to only by the process that created it; after a reopen it is never appended to
//  again.
//  2. An image is readable by its location as soon as append() returned, first from the buffer, then from the
//  file.
//  3. What append() accepted, and what was promised, has its space on disk: segments are preallocated. A lack
//  of space shows at the append that would need a new segment, and never at a sync.
//  4. After a failed write or sync nothing more is accepted: what was unsynced is lost and the store must be
//  reopened.
//
// Two streams append at once: what databases write, and what a sweep moves, so that moved pages lie side by
// side.
#pragma once

#include "storage/base/mutex.h"
#include "storage/disk/disk.h"
#include "storage/format/records.h"
#include "storage/pages/image.h"
#include "storage/pages/read_ahead.h"

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>

namespace arbor {

// Where a stretch lies that was read.
struct StretchBuffer {
    std::vector<std::byte>& room; // the caller's, to be used again; grows
    ReadAhead::Found ahead = {};  // or what keeps bytes that were read ahead
};

class SegmentStore {
  public:
    struct Options {
        std::uint64_t segmentBytes = 64u << 20;
        std::size_t bufferBytes = 256u << 10;
        std::size_t openFiles = 256;
        // Bytes that must stay free on the file system when a segment is begun for the Write stream (the
        // index needs them). A sweep is exempt: it may spend the last of the disk, for it gives back more.
        std::uint64_t marginBytes = 32u << 20;
    };
    enum class Stream { Write, Move };

    // Opens the segments below `directory` as the marker left them: what lies behind its ends is cut off.
    static Result<std::unique_ptr<SegmentStore>> open(Disk& disk, std::string directory, const Marker& marker,
                                                      const Options& options);
    ~SegmentStore();

    // Thread-safe. The page must not be a page of zeros.
    Result<ImageLocation> append(Stream stream, const ImageHeader& header, const PreparedPage& page);
    // Room for one image of the Write stream, however long, in whatever segment is the current one when
    // appendPromised() comes, which every promise must see. False when there is none without beginning
    // another segment.
    bool promiseImage();
    Result<ImageLocation> appendPromised(const ImageHeader& header, const PreparedPage& page);
    // As many promises may be open at once.
    std::size_t promisableImages() const { return m_options.segmentBytes / 2 / maxImageBytes; }
    // A whole image as readImage() gave it, byte for byte.
    Result<ImageLocation> appendImage(Stream stream, Bytes image);
    // Thread-safe. NotFound when the segment is gone (a sweep moved its images: look the page up again).
    Status read(ImageLocation location, InodeId inode, BlockNumber block, Position position,
                MutableBytes page) const;
    Status readImage(ImageLocation location, std::string& image) const;
    // A stretch of a segment as it lies in the file, unchecked (zeros where nothing was written out yet):
    // decodeImage() judges each image of it. What is answered stays while `into` lives and is not used again.
    Result<Bytes> readStretch(SegmentId segment, std::uint64_t offset, std::size_t bytes,
                              StretchBuffer& into) const;
    // A hint that the stretch will be read: begins to bring it in and does not wait.
    void willNeed(SegmentId segment, std::uint64_t offset, std::uint64_t bytes) const;
    std::uint64_t bytesReadAhead() const { return m_ahead.bytesAsked(); }

    // Makes everything durable that was appended before the call. One thread at a time.
    Status sync();
    // What a marker must say so that everything the last sync() covered exists.
    void describe(Marker& marker) const;

    // The segments that exist, with their bytes (buffered ones included), ascending.
    std::map<SegmentId, std::uint64_t> segments() const;
    // Segments that take no more appends, and whose content is durable.
    bool isSealed(SegmentId segment) const;
    // Ends the stream's current segment, so that it can be swept too. (With promises open another must be
    // begun: without space for it the segment goes on.)
    Status seal(Stream stream);
    // Removes a segment. Reads under way end well; later ones are NotFound. The directory is synced by the
    // caller (syncDirectory()).
    Status remove(SegmentId segment);
    Status syncDirectory();
    std::string pathOf(SegmentId segment) const;
    // Walks the images of a segment in order; a gap of zeros or damage ends it with Corruption naming the
    // place.
    Status walk(SegmentId segment,
                const std::function<Status(const ImageHeader&, ImageLocation, Bytes image)>& visit) const;

  private:
    struct Unsynced {
        SegmentId segment;
        std::shared_ptr<AppendableFile> file;
        std::uint64_t bytes = 0;
        bool isFull = false; // takes no more appends
    };
    struct Appender {
        mutable Mutex mutex;
        SegmentId segment ARBOR_GUARDED_BY(mutex);
        std::shared_ptr<AppendableFile> file ARBOR_GUARDED_BY(mutex);
        std::string buffer ARBOR_GUARDED_BY(mutex);
        std::uint64_t bufferAt ARBOR_GUARDED_BY(mutex) = 0; // offset of the buffer's first byte in the file
        // bytes of the current segment that are neither used nor promised; promises are made without the lock
        std::atomic<std::uint64_t> room{0};
        // of the current segment, with what is buffered
        std::uint64_t size() const ARBOR_REQUIRES(mutex) { return bufferAt + buffer.size(); }
        // full segments that no sync has covered yet
        std::vector<Unsynced> full ARBOR_GUARDED_BY(mutex);
    };

    SegmentStore(Disk& disk, std::string directory, const Options& options);
    static bool takeRoom(Appender& appender, std::size_t bytes);
    Status begin(Stream stream, Appender& appender) ARBOR_REQUIRES(appender.mutex);
    Status flush(Appender& appender) ARBOR_REQUIRES(appender.mutex);
    Status finish(Appender& appender) ARBOR_REQUIRES(appender.mutex);
    template <class Fill>
    Result<ImageLocation> appendWith(Stream stream, std::uint32_t units, bool isPromised, Fill fill);
    Appender& appenderOf(Stream stream) { return m_appenders[stream == Stream::Write ? 0 : 1]; }
    Result<std::shared_ptr<ReadableFile>> readable(SegmentId segment) const;
    bool readBuffered(ImageLocation location, std::byte* into) const;
    Error brokenError() const;

    Disk& m_disk;
    const std::string m_directory;
    const Options m_options;
    std::array<Appender, 2> m_appenders; // no two are locked at once
    std::atomic<bool> m_broken{false};
    std::atomic<std::uint64_t> m_nextSegment{1};
    std::atomic<std::uint64_t> m_activeSegments[2] = {0, 0};

    // after an appender's mutex
    mutable Mutex m_filesMutex;
    std::map<SegmentId, std::uint64_t> m_sizes ARBOR_GUARDED_BY(m_filesMutex); // sealed or flushed bytes
    // What a marker must name: segments whose file may be longer than what is durable of it.
    std::map<SegmentId, std::uint64_t> m_ends ARBOR_GUARDED_BY(m_filesMutex);
    std::vector<SegmentId> m_sealed ARBOR_GUARDED_BY(m_filesMutex); // of these, full ones: named once more
    SegmentId m_syncedNext ARBOR_GUARDED_BY(m_filesMutex);
    struct OpenFile {
        std::shared_ptr<ReadableFile> file;
        std::list<SegmentId>::iterator age;
    };
    mutable std::unordered_map<SegmentId, OpenFile> m_files ARBOR_GUARDED_BY(m_filesMutex);
    mutable std::list<SegmentId> m_ages ARBOR_GUARDED_BY(m_filesMutex); // least recently used last
    mutable ReadAhead m_ahead;
};

} // namespace arbor

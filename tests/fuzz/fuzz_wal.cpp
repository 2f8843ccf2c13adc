// Bytes of any kind as a log, as pg_control, as a history file and as a mark: no crash, no read outside, an
// end. Records are also decoded without their checksum, or little would get past it.
#include "storage/base/crc32c.h"
#include "storage/wal/pg_control.h"
#include "storage/wal/wal_records.h"
#include "storage/wal/wal_scanner.h"

#include <algorithm>

using namespace arbor;

namespace {

class FuzzedLog final : public WalSource {
  public:
    explicit FuzzedLog(Bytes bytes) : m_bytes(bytes) {}
    Result<std::size_t> read(Lsn at, MutableBytes into) override {
        if (at.value >= m_bytes.size())
            return std::size_t{0};
        const std::size_t got = std::min<std::size_t>(into.size(), m_bytes.size() - at.value);
        std::memcpy(into.data(), m_bytes.data() + at.value, got);
        return got;
    }
    std::uint32_t segmentSize() const override { return wal::minSegmentSize; }
    bool hasTli(std::uint32_t) const override { return true; }

  private:
    Bytes m_bytes;
};

void readAsLog(Bytes bytes, const WalFormat& format) {
    FuzzedLog log(bytes);
    WalReader reader(log, format, 0);
    reader.begin(Lsn{});
    for (;;) {
        const auto record = reader.next();
        if (!record || !*record)
            return;
        (void)eventOf(**record, format);
    }
}

void readAsRecord(Bytes bytes, const WalFormat& format) {
    if (bytes.size() < wal::recordHeader)
        return;
    WalRecord record;
    record.info = static_cast<std::uint8_t>(bytes[16]);
    record.manager = static_cast<std::uint8_t>(bytes[17]) % 12;
    record.bytes = bytes;
    (void)eventOf(record, format);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes = std::as_bytes(std::span(data, size));
    for (const int major : {14, 15, 18}) {
        readAsLog(bytes, *walFormatOfMajor(major));
        readAsRecord(bytes, *walFormatOfMajor(major));
    }
    (void)parseControlFile(bytes);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)TliHistory::parse(9, text);
    (void)ScanState::decode(text);
    return 0;
}

#include "storage/disk/simulated_bytes.h"

#include <algorithm>
#include <cstring>

namespace arbor {

std::size_t SimulatedBytes::read(std::uint64_t offset, MutableBytes into) const {
    if (offset >= m_size)
        return 0;
    const std::size_t total = std::min<std::uint64_t>(into.size(), m_size - offset);
    for (std::size_t done = 0; done < total;) {
        const std::size_t within = (offset + done) % chunkBytes;
        const std::size_t part = std::min(total - done, chunkBytes - within);
        if (const auto& chunk = m_chunks[(offset + done) / chunkBytes])
            std::memcpy(into.data() + done, chunk->data() + within, part);
        else
            std::memset(into.data() + done, 0, part);
        done += part;
    }
    return total;
}

void SimulatedBytes::write(std::uint64_t offset, Bytes bytes) {
    grow(offset + bytes.size());
    while (!bytes.empty()) {
        const std::size_t within = offset % chunkBytes;
        const std::size_t part = std::min(bytes.size(), chunkBytes - within);
        std::memcpy(writable(offset / chunkBytes).data() + within, bytes.data(), part);
        offset += part;
        bytes = bytes.subspan(part);
    }
}

void SimulatedBytes::resize(std::uint64_t size) {
    grow(size);
    if (size == m_size)
        return;
    const std::size_t chunks = (size + chunkBytes - 1) / chunkBytes;
    for (std::size_t i = chunks; i < m_chunks.size(); ++i)
        drop(i);
    m_chunks.resize(chunks);
    m_size = size;
    if (size % chunkBytes != 0 && m_chunks.back()) {
        Chunk& last = writable(chunks - 1);
        std::fill(last.begin() + static_cast<std::ptrdiff_t>(size % chunkBytes), last.end(), std::byte{0});
    }
}

void SimulatedBytes::punch(std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t end = std::min(offset + length, m_size);
    while (offset < end) {
        const std::size_t within = offset % chunkBytes;
        const std::size_t part = std::min<std::uint64_t>(end - offset, chunkBytes - within);
        const std::size_t index = offset / chunkBytes;
        if (part == chunkBytes)
            drop(index);
        else if (m_chunks[index])
            std::memset(writable(index).data() + within, 0, part);
        offset += part;
    }
}

void SimulatedBytes::copyRange(const SimulatedBytes& from, std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t end = offset + length;
    grow(end);
    while (offset < end) {
        const std::size_t within = offset % chunkBytes;
        const std::size_t part = std::min<std::uint64_t>(end - offset, chunkBytes - within);
        const std::size_t index = offset / chunkBytes;
        const bool there = index < from.m_chunks.size() && from.m_chunks[index];
        // what lies behind both sizes in a chunk is zero on both sides, so the whole chunk can be shared
        const bool whole = within == 0 && (part == chunkBytes || (end == m_size && from.m_size <= end));
        if (!there) {
            punch(offset, part);
        } else if (whole) {
            m_allocatedChunks += m_chunks[index] ? 0 : 1;
            m_chunks[index] = from.m_chunks[index];
        } else {
            std::memcpy(writable(index).data() + within, from.m_chunks[index]->data() + within, part);
        }
        offset += part;
    }
}

SimulatedBytes::Chunk& SimulatedBytes::writable(std::size_t index) {
    std::shared_ptr<Chunk>& chunk = m_chunks[index];
    if (!chunk) {
        chunk = std::make_shared<Chunk>(); // zeros
        ++m_allocatedChunks;
    } else if (chunk.use_count() > 1) {
        chunk = std::make_shared<Chunk>(*chunk);
    }
    return *chunk;
}

void SimulatedBytes::drop(std::size_t index) {
    m_allocatedChunks -= m_chunks[index] ? 1 : 0;
    m_chunks[index].reset();
}

void SimulatedBytes::grow(std::uint64_t size) {
    if (size <= m_size)
        return;
    m_size = size;
    m_chunks.resize((size + chunkBytes - 1) / chunkBytes);
}

} // namespace arbor

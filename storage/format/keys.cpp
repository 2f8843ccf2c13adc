#include "storage/format/keys.h"

namespace arbor {

namespace {

int bytesOf(std::uint64_t number) {
    int bytes = 0;
    for (; number != 0; number >>= 8)
        ++bytes;
    return bytes;
}

void appendNumber(std::string& key, std::uint64_t number, unsigned char flip) {
    const int bytes = bytesOf(number);
    key.push_back(static_cast<char>(bytes ^ flip));
    for (int i = bytes - 1; i >= 0; --i)
        key.push_back(static_cast<char>((number >> 8 * i & 0xFF) ^ flip));
}

std::optional<std::uint64_t> takeNumber(std::string_view& key, unsigned char flip) {
    if (key.empty())
        return std::nullopt;
    const std::size_t bytes = static_cast<unsigned char>(key[0]) ^ flip;
    if (bytes > 8 || key.size() < 1 + bytes)
        return std::nullopt;
    std::uint64_t number = 0;
    for (std::size_t i = 1; i <= bytes; ++i)
        number = number << 8 | (static_cast<unsigned char>(key[i]) ^ flip);
    if (bytesOf(number) != static_cast<int>(bytes))
        return std::nullopt; // a longer form of the same number would break the order
    key.remove_prefix(1 + bytes);
    return number;
}

} // namespace

void appendAscending(std::string& key, std::uint64_t number) {
    appendNumber(key, number, 0x00);
}
void appendDescending(std::string& key, std::uint64_t number) {
    appendNumber(key, number, 0xFF);
}
std::optional<std::uint64_t> takeAscending(std::string_view& key) {
    return takeNumber(key, 0x00);
}
std::optional<std::uint64_t> takeDescending(std::string_view& key) {
    return takeNumber(key, 0xFF);
}

std::string pageRunPrefix(InodeId inode, std::uint32_t chunk) {
    std::string key(1, tag::pageRun);
    appendAscending(key, inode.value);
    appendAscending(key, chunk);
    return key;
}

std::string inodePrefix(char tagByte, InodeId inode) {
    std::string key(1, tagByte);
    appendAscending(key, inode.value);
    return key;
}

std::string timelinePrefix(std::string_view prefix, TimelineId timeline) {
    std::string key(prefix);
    appendDescending(key, timeline.value);
    return key;
}

std::string versionKey(std::string_view prefix, TimelineId timeline, Position position) {
    std::string key = timelinePrefix(prefix, timeline);
    appendDescending(key, position.value);
    return key;
}

std::string nameKey(InodeId directory, TimelineId timeline, std::string_view name, Position position) {
    std::string key = timelinePrefix(inodePrefix(tag::name, directory), timeline);
    key.append(name);
    key.push_back('\0');
    appendDescending(key, position.value);
    return key;
}

std::string positionMapKey(TimelineId timeline, Position first) {
    std::string key(1, tag::positionMap);
    appendAscending(key, timeline.value);
    appendAscending(key, first.value);
    return key;
}

std::optional<PageRunKey> parsePageRunKey(std::string_view key) {
    if (key.empty() || key[0] != tag::pageRun)
        return std::nullopt;
    key.remove_prefix(1);
    const auto inode = takeAscending(key);
    const auto chunk = inode ? takeAscending(key) : std::nullopt;
    const auto timeline = chunk ? takeDescending(key) : std::nullopt;
    const auto first = timeline ? takeDescending(key) : std::nullopt;
    if (!first || !key.empty() || *chunk > UINT32_MAX / blocksPerChunk)
        return std::nullopt;
    return PageRunKey{{*inode}, static_cast<std::uint32_t>(*chunk), {*timeline}, {*first}};
}

std::optional<InodeKey> parseInodeKey(std::string_view key) {
    if (key.empty())
        return std::nullopt;
    key.remove_prefix(1);
    const auto inode = takeAscending(key);
    const auto timeline = inode ? takeDescending(key) : std::nullopt;
    const auto position = timeline ? takeDescending(key) : std::nullopt;
    if (!position || !key.empty())
        return std::nullopt;
    return InodeKey{{*inode}, {*timeline}, {*position}};
}

std::optional<NameKey> parseNameKey(std::string_view key) {
    if (key.empty() || key[0] != tag::name)
        return std::nullopt;
    key.remove_prefix(1);
    const auto directory = takeAscending(key);
    const auto timeline = directory ? takeDescending(key) : std::nullopt;
    const auto end = key.find('\0');
    if (!timeline || end == std::string_view::npos)
        return std::nullopt;
    std::string name(key.substr(0, end));
    key.remove_prefix(end + 1);
    const auto position = takeDescending(key);
    if (!position || !key.empty())
        return std::nullopt;
    return NameKey{{*directory}, {*timeline}, std::move(name), {*position}};
}

std::optional<std::pair<TimelineId, Position>> parsePositionMapKey(std::string_view key) {
    if (key.empty() || key[0] != tag::positionMap)
        return std::nullopt;
    key.remove_prefix(1);
    const auto timeline = takeAscending(key);
    const auto first = timeline ? takeAscending(key) : std::nullopt;
    if (!first || !key.empty())
        return std::nullopt;
    return std::pair{TimelineId{*timeline}, Position{*first}};
}

} // namespace arbor

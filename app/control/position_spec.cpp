#include "app/control/position_spec.h"

#include "app/control/arguments.h"
#include "storage/base/units.h"

#include <charconv>

namespace arbor {

namespace {

bool looksLikeATime(std::string_view text) {
    return text.size() > 5 && text[4] == '-' && text.find_first_not_of("0123456789") == 4;
}

Result<PositionSpec> parseXid(std::string_view text, std::string_view digits) {
    std::uint64_t xid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), xid);
    if (error != std::errc() || end != digits.data() + digits.size() || xid == 0)
        return makeError(ErrorKind::InvalidArgument, "{} names no transaction; write xid:1234",
                         inQuotes(text));
    return PositionSpec{PositionSpec::Xid{xid}};
}

} // namespace

Result<PositionSpec> PositionSpec::parse(std::string_view text) {
    if (text == "head")
        return PositionSpec{Head{}};
    if (const auto lsn = Lsn::parse(text))
        return PositionSpec{*lsn};
    if (text.starts_with("checkpoint:")) {
        const std::string_view name = text.substr(11);
        ARBOR_TRY(checkName("checkpoint", name));
        return PositionSpec{Checkpoint{std::string(name)}};
    }
    if (text.starts_with("xid:"))
        return parseXid(text, text.substr(4));
    if (text.starts_with('-')) {
        ARBOR_ASSIGN(const Duration duration, parseDuration(text.substr(1)));
        return PositionSpec{Ago{duration}};
    }
    if (const auto time = Timestamp::parseIso(text))
        return PositionSpec{*time};
    if (looksLikeATime(text))
        return makeError(ErrorKind::InvalidArgument,
                         "{} is not a time with a zone; write 2026-01-31T12:00:00Z or 2026-01-31 13:00:00+01",
                         inQuotes(text));
    return makeError(
        ErrorKind::InvalidArgument,
        "{} is not a position; write head, 0/16B3748, 2026-01-31T12:00:00Z, -10min, checkpoint:NAME or xid:N",
        inQuotes(text));
}

std::string PositionSpec::toString() const {
    struct Printer {
        std::string operator()(const Head&) const { return "head"; }
        std::string operator()(const Lsn& lsn) const { return lsn.toString(); }
        std::string operator()(const Timestamp& time) const { return time.toIso(); }
        std::string operator()(const Ago& ago) const { return "-" + durationText(ago.duration); }
        std::string operator()(const Checkpoint& checkpoint) const { return "checkpoint:" + checkpoint.name; }
        std::string operator()(const Xid& xid) const { return fmt::format("xid:{}", xid.value); }
    };
    return std::visit(Printer{}, value);
}

} // namespace arbor

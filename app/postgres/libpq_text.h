// What libpq says about a failure, without the line's end that it puts there. Any thread.

#pragma once

#include <cctype>
#include <string>
#include <string_view>

namespace arbor {

// Empty for none.
inline std::string libpqText(const char* text) {
    std::string_view view = text == nullptr ? "" : text;
    while (!view.empty() && std::isspace(static_cast<unsigned char>(view.back())))
        view.remove_suffix(1);
    return std::string(view);
}

} // namespace arbor

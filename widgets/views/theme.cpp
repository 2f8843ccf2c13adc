#include "widgets/views/theme.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace arbor {

namespace {

double luminance(const QColor& color) {
    const auto linear = [](double part) {
        return part <= 0.03928 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

// Moves a colour towards the text until it stands out enough on that ground.
QColor readable(QColor color, const QColor& ground, const QColor& text, double ratio) {
    for (int step = 0; step < 20 && contrastRatio(color, ground) < ratio; ++step)
        color = mixed(color, text, 0.1);
    return color;
}

constexpr std::array<QRgb, 8> lightHues{0x2f6fb3, 0xb35a12, 0x7a4fb5, 0x9a6b00,
                                        0xb23a78, 0x0f7c86, 0x5d7a16, 0x6b5d52};
constexpr std::array<QRgb, 8> darkHues{0x7db4f0, 0xf0a060, 0xbd9bf2, 0xe3bd4c,
                                       0xf08cc0, 0x55c7d1, 0xa9cc5a, 0xc4b5a8};
// from the bottom: what is alive is the accent, what is only kept grows lighter and turns away from it
constexpr std::array<QRgb, Theme::areas> lightAreas{0x2a8f6d, 0x5b8fc7, 0x9673c4, 0xd19a3c, 0xb9b3aa};
constexpr std::array<QRgb, Theme::areas> darkAreas{0x3fa882, 0x5a93d1, 0x9a7bd0, 0xd0a04e, 0x77736d};

} // namespace

double contrastRatio(const QColor& a, const QColor& b) {
    const double x = luminance(a) + 0.05;
    const double y = luminance(b) + 0.05;
    return std::max(x, y) / std::min(x, y);
}

QColor mixed(const QColor& under, const QColor& over, double share) {
    const auto part = [&](float u, float o) { return static_cast<float>(u + (o - u) * share); };
    return QColor::fromRgbF(part(under.redF(), over.redF()), part(under.greenF(), over.greenF()),
                            part(under.blueF(), over.blueF()));
}

Theme::Theme(const QPalette& palette) {
    ground = palette.color(QPalette::Base);
    panel = palette.color(QPalette::Window);
    text = palette.color(QPalette::Text);
    dark = luminance(ground) < luminance(text);
    text = readable(text, ground, dark ? Qt::white : Qt::black, 7);
    muted = readable(mixed(ground, text, 0.62), ground, text, 4.5);
    faint = readable(mixed(ground, text, 0.4), ground, text, 3);
    line = mixed(ground, text, dark ? 0.16 : 0.12);
    accent = readable(dark ? QColor(0x4c, 0xc3, 0x98) : QColor(0x16, 0x7a, 0x5a), ground, text, 4.5);
    onAccent = contrastRatio(accent, Qt::white) >= 4.5 ? QColor(Qt::white) : QColor(0x10, 0x18, 0x15);
    selection = mixed(ground, accent, dark ? 0.22 : 0.14);
    hover = mixed(ground, text, 0.045);
    danger = readable(dark ? QColor(0xff, 0x7b, 0x72) : QColor(0xc2, 0x2f, 0x28), ground, text, 4.5);
    caution = readable(dark ? QColor(0xe3, 0xb3, 0x41) : QColor(0x8f, 0x62, 0x00), ground, text, 4.5);
}

QColor Theme::density(double shade) const {
    return mixed(ground, accent, 0.2 + 0.6 * std::clamp(shade, 0.0, 1.0));
}

QColor Theme::branch(std::uint64_t id) const {
    const auto index = static_cast<std::size_t>((id * 0x9E3779B97F4A7C15ull) >> 61);
    return readable(QColor::fromRgb((dark ? darkHues : lightHues)[index]), ground, text, 3);
}

QColor Theme::area(int index) const {
    const auto at = static_cast<std::size_t>(std::clamp(index, 0, areas - 1));
    return QColor::fromRgb((dark ? darkAreas : lightAreas)[at]);
}

QColor Theme::state(BranchState state) const {
    switch (state) {
    case BranchState::Running:
        return accent;
    case BranchState::Failed:
        return danger;
    case BranchState::Starting:
    case BranchState::Stopping:
        return caution;
    case BranchState::Stopped:
        return faint;
    }
    return faint;
}

QFont captionFont(const QFont& base) {
    QFont font = base;
    if (font.pointSizeF() > 0)
        font.setPointSizeF(std::max(font.pointSizeF() * 0.88, 6.0));
    else
        font.setPixelSize(std::max(font.pixelSize() * 88 / 100, 8));
    return font;
}

} // namespace arbor

#include "app/gui/appearance.h"

#include <QApplication>
#include <QPalette>
#include <QStyle>
#include <QStyleFactory>

namespace arbor {

namespace {

struct Colours {
    const char *window, *windowText, *base, *alternate, *text, *button, *highlight, *highlightedText,
        *disabled, *link, *placeholder, *light, *mid, *dark;
};
constexpr Colours light{"#f4f5f6", "#1d2329", "#ffffff", "#f7f8f9", "#1d2329", "#f4f5f6", "#167a5a",
                        "#ffffff", "#98a0a8", "#14655b", "#5f6972", "#ffffff", "#c9ced3", "#9aa2aa"};
constexpr Colours dark{"#22272b", "#e3e7ea", "#1a1e21", "#1f2427", "#e3e7ea", "#2c3237", "#2b7f63",
                       "#ffffff", "#69727a", "#6fcabd", "#a3adb5", "#3a4147", "#3a4147", "#121517"};

QPalette paletteOf(const Colours& c) {
    QPalette palette;
    const auto set = [&](QPalette::ColorRole role, const char* colour) {
        palette.setColor(role, QColor(colour));
    };
    set(QPalette::Window, c.window);
    set(QPalette::WindowText, c.windowText);
    set(QPalette::Base, c.base);
    set(QPalette::AlternateBase, c.alternate);
    set(QPalette::Text, c.text);
    set(QPalette::Button, c.button);
    set(QPalette::ButtonText, c.windowText);
    set(QPalette::BrightText, c.highlightedText);
    set(QPalette::Highlight, c.highlight);
    set(QPalette::HighlightedText, c.highlightedText);
    set(QPalette::ToolTipBase, c.base);
    set(QPalette::ToolTipText, c.text);
    set(QPalette::Link, c.link);
    set(QPalette::PlaceholderText, c.placeholder);
    set(QPalette::Light, c.light);
    set(QPalette::Midlight, c.mid);
    set(QPalette::Mid, c.mid);
    set(QPalette::Dark, c.dark);
    set(QPalette::Shadow, c.dark);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, QColor(c.disabled));
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(c.mid));
    return palette;
}

// What the desktop gave us at the start. One that has neither a style nor colours gets ours.
struct Desktop {
    QString style = QApplication::style()->objectName();
    bool hasColours = QApplication::palette().color(QPalette::Window) !=
                      QApplication::style()->standardPalette().color(QPalette::Window);
    bool isBare() const { return style == QLatin1String("fusion") && !hasColours; }
};

} // namespace

void applyAppearance(const QString& name) {
    static const Desktop desktop;
    const bool own = name == QLatin1String("light") || name == QLatin1String("dark") || desktop.isBare();
    QApplication::setStyle(QStyleFactory::create(own ? QStringLiteral("fusion") : desktop.style));
    if (own)
        QApplication::setPalette(paletteOf(name == QLatin1String("dark") ? dark : light));
    else
        QApplication::setPalette(QPalette()); // the desktop's own, also when it changes
}

} // namespace arbor

#include "app/gui/appearance.h"

#include "widgets/views/theme.h"

#include <QApplication>
#include <QPalette>
#include <QProxyStyle>
#include <QStyleFactory>
#include <QStyleOption>

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
    for (const auto role :
         {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::PlaceholderText})
        palette.setColor(QPalette::Disabled, role, QColor(c.disabled));
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(c.mid));
    return palette;
}

// Fusion draws the outlines of boxes and fields a little darker than the window: on a dark one nobody sees
// them. They are drawn as on a lighter window here.
class VisibleOutlines final : public QProxyStyle {
  public:
    VisibleOutlines() : QProxyStyle(QStringLiteral("fusion")) {}
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override {
        const auto* box = qstyleoption_cast<const QStyleOptionButton*>(option);
        const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
        if (box && element == PE_IndicatorCheckBox)
            drawOutlined(element, *box, painter, widget);
        else if (frame && element == PE_FrameLineEdit)
            drawOutlined(element, *frame, painter, widget);
        else
            QProxyStyle::drawPrimitive(element, option, painter, widget);
    }

  private:
    template <class Option>
    void drawOutlined(PrimitiveElement element, Option option, QPainter* painter,
                      const QWidget* widget) const {
        constexpr int darker = 140; // Fusion's outline is Window.darker() by that
        if (const Theme theme(option.palette); theme.dark) {
            const double share = option.state & State_Enabled ? 1 : Theme::staleOpacity;
            option.palette.setColor(QPalette::Window,
                                    mixed(theme.ground, theme.faint, share).lighter(darker));
        }
        QProxyStyle::drawPrimitive(element, &option, painter, widget);
    }
};

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
    QApplication::setStyle(own ? new VisibleOutlines : QStyleFactory::create(desktop.style));
    if (own)
        QApplication::setPalette(paletteOf(name == QLatin1String("dark") ? dark : light));
    else
        QApplication::setPalette(QPalette()); // the desktop's own, also when it changes
}

} // namespace arbor

// Palettes and pictures for tests of the views.
#pragma once

#include <QApplication>
#include <QDir>
#include <QImage>
#include <QPainter>
#include <QPalette>
#include <QStyleFactory>
#include <QWidget>

namespace arbor::test {

inline QPalette lightPalette() {
    QPalette palette;
    palette.setColor(QPalette::Window, QColor(0xf4, 0xf5, 0xf4));
    palette.setColor(QPalette::Base, Qt::white);
    palette.setColor(QPalette::Button, QColor(0xee, 0xef, 0xee));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(role, QColor(0x1c, 0x21, 0x1f));
    return palette;
}

inline QPalette darkPalette() {
    QPalette palette;
    palette.setColor(QPalette::Window, QColor(0x1f, 0x23, 0x22));
    palette.setColor(QPalette::Base, QColor(0x17, 0x1a, 0x19));
    palette.setColor(QPalette::Button, QColor(0x2a, 0x2f, 0x2d));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(role, QColor(0xe4, 0xe8, 0xe6));
    palette.setColor(QPalette::ToolTipBase, QColor(0x2a, 0x2f, 0x2d));
    palette.setColor(QPalette::ToolTipText, QColor(0xe4, 0xe8, 0xe6));
    return palette;
}

// At any resolution, whatever the screen's.
inline QImage picture(QWidget& widget, double ratio = 1) {
    QImage image(widget.size() * ratio, QImage::Format_RGB32);
    image.setDevicePixelRatio(ratio);
    image.fill(widget.palette().color(QPalette::Window));
    widget.render(&image);
    return image;
}

// Into $ARBOR_PICTURES when it is set.
inline void keepPicture(const QImage& image, const QString& name) {
    const QString folder = qEnvironmentVariable("ARBOR_PICTURES");
    if (folder.isEmpty())
        return;
    QDir().mkpath(folder);
    image.save(folder + QLatin1Char('/') + name + QStringLiteral(".png"));
}

} // namespace arbor::test

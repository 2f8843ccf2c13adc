// Our icons: symbolic drawings that take the colour of the text around them, so that one file serves every
// theme.
#pragma once

#include <QIcon>

namespace arbor {

// resources/icons/NAME.svg. The palette is asked at every painting: an icon follows a change of theme by
// itself.
QIcon symbolicIcon(const QString& name);
// The same in a colour that does not follow the palette.
QIcon symbolicIcon(const QString& name, const QColor& colour);

} // namespace arbor

// Light, dark, or as the desktop has it.
#pragma once

#include <QString>

namespace arbor {

// "desktop", "light" or "dark". Sets the application's palette and style.
void applyAppearance(const QString& name);

} // namespace arbor

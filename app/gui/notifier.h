// Desktop notifications (org.freedesktop.Notifications). Where nobody listens nothing happens.
#pragma once

#include <QString>

namespace arbor {

void notifyDesktop(const QString& title, const QString& text);

} // namespace arbor

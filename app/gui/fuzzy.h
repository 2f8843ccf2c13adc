// How well a text answers what was typed.
#pragma once

#include <QString>

namespace arbor {

// 0: the typed letters do not stand in the text in that order. Otherwise the more the better: letters in a
// row and at the beginnings of words count most, short texts before long ones. Case does not matter. Nothing
// typed: 1.
int fuzzyScore(QStringView typed, QStringView text);

} // namespace arbor

// The colours of every view, made from the palette: one accent, one scale of greys, states and densities that
// keep their contrast on light and on dark ground. Made anew when the palette changes
// (QEvent::PaletteChange).
#pragma once

#include "widgets/models/branch_row.h"

#include <QColor>
#include <QFont>
#include <QPalette>

#include <cstdint>

namespace arbor {

// Relative luminance of WCAG 2: 1 (same) to 21 (black on white).
double contrastRatio(const QColor& a, const QColor& b);
// `share` of `over` on `under`, opaque.
QColor mixed(const QColor& under, const QColor& over, double share);

struct Theme {
    explicit Theme(const QPalette& palette);

    bool dark = false;
    QColor ground;    // behind rows
    QColor panel;     // behind headers and strips
    QColor text;      // at least 7:1 on ground
    QColor muted;     // secondary text, at least 4.5:1
    QColor faint;     // lines that carry meaning, at least 3:1
    QColor line;      // separators
    QColor accent;    // the one colour: cursor, selection, checkpoints, running
    QColor onAccent;  // text on it
    QColor selection; // behind a selected row; text keeps its colour
    QColor hover;
    QColor danger;  // drops, failures
    QColor caution; // limits, expiry

    static constexpr double staleOpacity = 0.45; // of what was last known while the engine is gone

    // Behind the bar of a branch: 0 quiet to 1 busy; always tells itself apart from ground.
    QColor density(double shade) const;
    // Eight hues for child branches, at least 3:1 on ground; the same id is the same colour.
    QColor branch(std::uint64_t id) const;
    // Of the areas of the storage plot, bottom up: live, history window, pinned, trash, garbage.
    static constexpr int areas = 5;
    QColor area(int index) const;
    QColor state(BranchState state) const;
};

// A little smaller than the base: captions, axis labels.
QFont captionFont(const QFont& base);

} // namespace arbor

#include "app/gui/fuzzy.h"

#include <algorithm>
#include <vector>

namespace arbor {

namespace {

bool beginsWord(QStringView text, qsizetype at) {
    return at == 0 || !text[at - 1].isLetterOrNumber();
}

} // namespace

// The best way to lay the typed letters into the text, by going through both: best[i] is the score of the
// letters so far with the last one at i. Texts are short, so the square of their lengths does no harm.
int fuzzyScore(QStringView typed, QStringView text) {
    if (typed.isEmpty())
        return 1;
    constexpr int none = -1;
    constexpr int hit = 10, inARow = 15, atWord = 12;
    std::vector<int> best(static_cast<std::size_t>(text.size()), none);
    for (qsizetype letter = 0; letter < typed.size(); ++letter) {
        if (typed[letter].isSpace() && letter > 0)
            continue;
        std::vector<int> next(best.size(), none);
        int before = letter == 0 ? 0 : none; // the best of all places left of i - 1
        for (qsizetype i = 0; i < text.size(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            const int adjacent = letter > 0 && i > 0 ? best[at - 1] : none;
            if (text[i].toCaseFolded() == typed[letter].toCaseFolded()) {
                const int start = hit + (beginsWord(text, i) ? atWord : 0);
                if (before != none)
                    next[at] = before + start;
                if (adjacent != none)
                    next[at] = std::max(next[at], adjacent + start + inARow);
            }
            if (letter > 0)
                before = std::max(before, best[at]);
        }
        best = std::move(next);
    }
    const int found = best.empty() ? none : *std::ranges::max_element(best);
    return found == none ? 0
                         : std::max(1, found * 4 - static_cast<int>(std::min<qsizetype>(text.size(), 60)));
}

} // namespace arbor

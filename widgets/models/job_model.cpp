#include "widgets/models/job_model.h"

#include "widgets/models/format.h"

#include <QLocale>

#include <algorithm>

namespace arbor {

void JobModel::setRows(std::span<const JobRow> rows) {
    std::vector<JobRow> sorted(rows.begin(), rows.end());
    std::sort(sorted.begin(), sorted.end(), [](const JobRow& a, const JobRow& b) {
        const bool left = a.state == JobRow::State::Running;
        const bool right = b.state == JobRow::State::Running;
        return left != right ? left : a.id > b.id;
    });
    replaceRows(std::move(sorted), [](const JobRow& row) { return row.id; });
}

void JobModel::put(const JobRow& fresh) {
    std::vector<JobRow> all = rows();
    std::erase_if(all, [&](const JobRow& row) { return row.id == fresh.id; });
    all.push_back(fresh);
    setRows(all);
}

void JobModel::setNow(Timestamp now) {
    m_now = now;
    if (const int count = running(); count > 0)
        Q_EMIT dataChanged(index(0, Elapsed), index(count - 1, Elapsed));
}

int JobModel::running() const {
    return static_cast<int>(std::count_if(
        rows().begin(), rows().end(), [](const JobRow& row) { return row.state == JobRow::State::Running; }));
}

std::optional<double> JobModel::fraction() const {
    double sum = 0;
    int known = 0;
    for (const JobRow& row : rows())
        if (row.state == JobRow::State::Running && row.fraction) {
            sum += *row.fraction;
            ++known;
        }
    return known == 0 ? std::nullopt : std::optional(sum / known);
}

QVariant JobModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const JobRow& at = row(index.row());
    const bool runs = at.state == JobRow::State::Running;
    switch (role) {
    case IdRole:
        return static_cast<qulonglong>(at.id);
    case StateRole:
        return static_cast<int>(at.state);
    case FractionRole:
        return at.fraction ? QVariant(*at.fraction) : QVariant();
    case Qt::ToolTipRole:
        return at.error;
    case Qt::DisplayRole:
        break;
    default:
        return {};
    }
    switch (index.column()) {
    case Title:
        return at.title;
    case Progress:
        switch (at.state) {
        case JobRow::State::Running:
            return at.fraction ? QLocale().toString(*at.fraction * 100, 'f', 0) + QStringLiteral("\u00a0%")
                               : tr("Running");
        case JobRow::State::Done:
            return tr("Done");
        case JobRow::State::Failed:
            return tr("Failed");
        case JobRow::State::Cancelled:
            return tr("Cancelled");
        }
        return {};
    case Text:
        return at.error.isEmpty() ? at.text : at.error;
    case Elapsed:
        return at.startedAt ? durationDisplay((runs || !at.finishedAt ? m_now : at.finishedAt) - at.startedAt)
                            : QString();
    default:
        return {};
    }
}

QVariant JobModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Title:
        return tr("Job");
    case Progress:
        return tr("Progress");
    case Text:
        return tr("Detail");
    case Elapsed:
        return tr("Time");
    default:
        return {};
    }
}

} // namespace arbor

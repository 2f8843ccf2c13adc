// What the rows of the tree of branches say.
#include "widgets/models/branch_tree_model.h"
#include "widgets/models/format.h"

namespace arbor {

namespace {

QString stateText(BranchState state) {
    switch (state) {
    case BranchState::Stopped:
        return BranchTreeModel::tr("Stopped");
    case BranchState::Starting:
        return BranchTreeModel::tr("Starting");
    case BranchState::Running:
        return BranchTreeModel::tr("Running");
    case BranchState::Stopping:
        return BranchTreeModel::tr("Stopping");
    case BranchState::Failed:
        return BranchTreeModel::tr("Failed");
    }
    return {};
}

} // namespace

QVariant BranchTreeModel::display(const BranchNode& node, int column) const {
    const bool ghost = node.kind == BranchNode::Kind::Ghost;
    switch (column) {
    case Name:
        return node.label;
    case State:
        return ghost ? QString() : stateText(node.row.state);
    case Head:
        return ghost ? QString() : ageDisplay(node.row.headTime, m_now);
    case Own:
        return ghost ? QString() : bytesDisplay(node.row.ownBytes);
    case Pins:
        return ghost ? QString() : countDisplay(static_cast<std::uint64_t>(node.row.pins()));
    default:
        return {};
    }
}

QVariant BranchTreeModel::sortKey(const BranchNode& node, int column) const {
    switch (column) {
    case State:
        return pressing(node.row.state);
    case Head:
        return static_cast<qlonglong>(node.row.headTime.micros);
    case Own:
        return static_cast<qulonglong>(node.row.ownBytes == unknownBytes ? 0 : node.row.ownBytes);
    case Pins:
        return node.row.pins();
    case Timeline:
        return static_cast<qulonglong>(node.row.forkLsn.value);
    default:
        return node.label;
    }
}

QVariant BranchTreeModel::toolTip(const BranchNode& node, int column) const {
    const BranchRow& row = node.row;
    switch (column) {
    case Name:
        return node.kind == BranchNode::Kind::Group ? QVariant() : QVariant(row.name);
    case State:
        return row.error.isEmpty() ? stateText(row.state) : row.error;
    case Head:
        return tr("%1 at %2").arg(timeDisplay(row.headTime), lsnDisplay(row.headLsn));
    case Own:
        return tr("%1 bytes only this branch needs").arg(countDisplay(row.ownBytes));
    case Pins:
        return tr("%n child branch(es)", nullptr, row.children) + QStringLiteral(", ") +
               tr("%n checkpoint(s)", nullptr, row.checkpoints);
    default:
        return {};
    }
}

QString BranchTreeModel::accessibleText(const BranchNode& node, int column) const {
    if (column == Name && node.kind == BranchNode::Kind::Group)
        return tr("%1, group of %n branch(es)", nullptr, node.count).arg(node.label);
    if (column == Timeline) {
        QString text = tr("from %1 to %2").arg(lsnDisplay(node.row.forkLsn), lsnDisplay(node.row.headLsn));
        for (const PeekRow& peek : node.row.peeks)
            text += QStringLiteral(", ") + tr("peek at %1").arg(lsnDisplay(peek.lsn));
        return text;
    }
    return display(node, column).toString();
}

QVariant BranchTreeModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(section == Head || section == Own || section == Pins
                                       ? Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter)
                                       : Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
    if (role == Qt::ToolTipRole) {
        switch (section) {
        case Head:
            return tr("How long ago the branch last changed");
        case Own:
            return tr("Bytes on disk that only this branch needs");
        case Pins:
            return tr("Child branches and checkpoints that keep its history");
        default:
            return {};
        }
    }
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("Name");
    case State:
        return tr("State");
    case Head:
        return tr("Head");
    case Own:
        return tr("Private");
    case Pins:
        return tr("Pins");
    case Timeline:
        return tr("Timeline");
    default:
        return {};
    }
}

} // namespace arbor

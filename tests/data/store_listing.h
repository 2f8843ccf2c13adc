// What can be read in a store, as lines of text: every branch's head, every trash entry and every checkpoint,
// file by file, with a checksum of each file's content. Kept beside the stores of older versions as what they
// must read as.
#pragma once

#include "tests/support/store_fixture.h"

#include <QCryptographicHash>

#include <algorithm>

namespace arbor::test {

inline Status listDirectory(BranchView& view, InodeId directory, const std::string& prefix,
                            std::string& lines) {
    ARBOR_ASSIGN(auto entries, view.readDirectory(directory, 0, SIZE_MAX));
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const DirectoryEntry& entry : entries) {
        if (!isVersioned(entry.inode))
            continue;
        const std::string path = prefix + entry.name;
        ARBOR_ASSIGN(const Attributes at, view.lookup(directory, entry.name));
        std::string what;
        if (at.type == FileType::Symlink) {
            ARBOR_ASSIGN(what, view.readLink(entry.inode));
            what = "-> " + what;
        } else if (at.type == FileType::Regular) {
            std::string bytes(at.size, '\0');
            for (std::size_t done = 0; done < bytes.size();) {
                ARBOR_ASSIGN(const std::size_t part,
                             view.read(entry.inode, done,
                                       {reinterpret_cast<std::byte*>(bytes.data() + done),
                                        std::min<std::size_t>(bytes.size() - done, 1u << 20)}));
                if (part == 0)
                    return makeError(ErrorKind::Corruption, "{} ends early", path);
                done += part;
            }
            QCryptographicHash hash(QCryptographicHash::Sha256);
            hash.addData(QByteArray::fromRawData(bytes.data(), static_cast<qsizetype>(bytes.size())));
            what = fmt::format("{} {}", at.size, hash.result().toHex().toStdString());
        }
        lines += fmt::format("{} {:o} {}:{} {} {}\n", static_cast<int>(at.type), at.mode, at.uid, at.gid,
                             path, what);
        if (at.type == FileType::Directory)
            ARBOR_TRY(listDirectory(view, entry.inode, path + "/", lines));
    }
    return {};
}

// The catalog and the operations in words, then the files of everything that can be read.
inline Result<std::string> listStore(Engine& engine) {
    std::string lines;
    std::vector<std::pair<std::string, TimelinePoint>> points;
    engine.catalog([&](const Catalog& catalog) {
        const auto add = [&](std::string title, const TimelinePoint& point) {
            title += fmt::format(": timeline {} position {} lsn {}", point.timeline, point.at.position,
                                 point.at.lsn);
            lines += title + "\n";
            points.emplace_back(std::move(title), point);
        };
        for (const BranchRecord* branch : catalog.branches()) {
            lines += fmt::format("branch {} is {} child of {}{}\n", branch->name, branch->id, branch->parent,
                                 branch->isProtected ? " protected" : "");
            for (const auto& [key, value] : branch->settings)
                lines += fmt::format("setting {} {}\n", key, value);
        }
        for (const CheckpointRecord* checkpoint : catalog.allCheckpoints())
            add(fmt::format("checkpoint {} of branch {}", checkpoint->name, checkpoint->branch),
                checkpoint->point);
        for (const TrashRecord* trash : catalog.trash())
            add(fmt::format("trash {} ({})", trash->branch.name, trashReasonName(trash->reason)),
                {trash->branch.timeline, headPoint});
        return 0;
    });
    std::vector<std::pair<std::string, TimelineId>> heads;
    engine.catalog([&](const Catalog& catalog) {
        for (const BranchRecord* branch : catalog.branches())
            heads.emplace_back(branch->name, branch->timeline);
        return 0;
    });
    for (const auto& [name, timeline] : heads) {
        lines += fmt::format("== head of {} on timeline {}\n", name, timeline);
        ARBOR_ASSIGN(const auto view, engine.head(timeline));
        ARBOR_TRY(listDirectory(*view, view->root(), "", lines));
    }
    for (const auto& [title, point] : points) {
        lines += "== " + title + "\n";
        std::shared_ptr<TimelineView> view;
        if (point.at == headPoint) {
            ARBOR_ASSIGN(view, engine.head(point.timeline));
        } else {
            ARBOR_ASSIGN(view, engine.look(point));
        }
        ARBOR_TRY(listDirectory(*view, view->root(), "", lines));
    }
    return lines;
}

} // namespace arbor::test

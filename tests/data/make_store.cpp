// Makes a store to be kept as test data, and the list of what it reads as.
//   make_store DIRECTORY     writes DIRECTORY/store and DIRECTORY/listing
// Run once for each version of the format, with the build that introduces it:
//   make_store /tmp/s && tar -C /tmp/s --sort=name --owner=0 --group=0 -czf tests/data/store-1.tar.gz store
//   listing
#include "storage/engine/samples.h"
#include "tests/data/store_listing.h"
#include "tests/support/random_workload.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace arbor::test {

namespace {

const Caller caller{"make_store", "make_store"};

Status copyOut(SimulatedDisk& disk, const std::string& from, const std::filesystem::path& to) {
    std::filesystem::create_directories(to);
    ARBOR_ASSIGN(const auto names, disk.list(from));
    for (const std::string& name : names) {
        const std::string path = from + "/" + name;
        if (disk.list(path)) {
            ARBOR_TRY(copyOut(disk, path, to / name));
            continue;
        }
        ARBOR_ASSIGN(const std::string bytes, readFile(disk, path));
        std::ofstream(to / name, std::ios::binary) << bytes;
    }
    return {};
}

Status fill(RandomWorkload& work) {
    ARBOR_TRY(work.create());
    for (int i = 0; i < 500; ++i) {
        ARBOR_TRY(work.step());
        if (i % 125 == 124) // images and entries of more than one opening
            ARBOR_TRY(work.reopen());
    }
    ARBOR_TRY(work.compare(20));
    Engine& engine = work.engine();
    ARBOR_TRY(addSample(engine.store(), {engine.clock().now(), 1, 2, 3, 4, 5, 6, 7, 8}));
    ARBOR_TRY(engine.operate(
        caller, [](Catalog& catalog, Timestamp) { return catalog.setSetting("history-time", "30d"); }));
    ARBOR_TRY(engine.undo(caller, {}));
    return work.reopen();
}

Status make(const std::filesystem::path& place) {
    SimulatedDisk disk(1);
    std::string listing;
    {
        RandomWorkload work(disk, 1, {.maxBlocks = 6, .maxFiles = 8, .maxTimelines = 12});
        ARBOR_TRY(fill(work));
        ARBOR_ASSIGN(listing, listStore(work.engine()));
    }
    ARBOR_TRY(copyOut(disk, "/store", place / "store"));
    std::filesystem::remove(place / "store/LOCK");
    std::filesystem::remove(place / "store/pages/reserve");
    std::ofstream(place / "listing") << listing;
    return {};
}

} // namespace

} // namespace arbor::test

int main(int argc, char** argv) {
    if (argc != 2)
        return 2;
    if (const auto made = arbor::test::make(argv[1]); !made) {
        std::fprintf(stderr, "%s\n", made.error().message().c_str());
        return 1;
    }
}

"""The lines of the table: each measures a workload on its contestants in turn."""
import contextlib
import glob
import os
import shutil
import subprocess
import threading
import time

from servers import Failed, call

SCAN = "select count(*), sum(abalance) from pgbench_accounts"
SCAN_NOISE = "select count(*), sum(length(noise)) from noise"


class Line:
    """A row. `target` is that of the ratio to plain (None: no such ratio)."""

    def __init__(self, key, title, run, target=None, needs=(), unit="tps", at_most=False):
        self.key, self.title, self.run, self.target = key, title, run, target
        self.needs, self.unit, self.at_most = needs, unit, at_most


def pairs(bench, contestants, measure, prepare=None, count=None, warm_up=True):
    """Runs measure(server) on each contestant in turn, `count` rounds, after a warm-up: all data read once, and a
    round that does not count. Each round begins with another contestant. Answers {name: [value of each round]}."""
    values = {server.name: [] for server in contestants}
    for server in contestants:
        server.warm() if warm_up else server.start()
    count = count or bench.pairs
    for number in range(-1 if warm_up else 0, count):
        if bench.is_late(number):
            bench.note(f"{number} rounds instead of {count}, for time: {', '.join(values)}")
            break
        shift = max(number, 0) % len(contestants)
        for server in contestants[shift:] + contestants[:shift]:
            if prepare:
                prepare(server)
            os.sync()
            value = measure(server)
            if number >= 0:
                values[server.name].append(value)
    return values


@contextlib.contextmanager
def beside(work):
    """Does work() over and over meanwhile, in a thread; its failure is the line's."""
    ended, failures, rounds = threading.Event(), [], []

    def repeat():
        try:
            while not ended.is_set():
                work()
                rounds.append(1)
        except Failed as failure:
            failures.append(failure)
    other = threading.Thread(target=repeat)
    other.start()
    try:
        yield rounds
    finally:
        ended.set()
        other.join()
    if failures:
        raise failures[0]


def sweep(engine):
    try:
        engine.ctl("gc", "run")
    except Failed as failure:
        if "under way" not in str(failure):  # the engine has begun one itself
            raise
        time.sleep(0.1)


class Lines:
    def __init__(self, bench):
        self.b = bench

    # --- TPC-B
    def tpcb_on(self, server, seconds=None):
        return server.pgbench("bank", seconds or self.b.seconds)

    def tpcb(self):
        return pairs(self.b, self.b.three() + self.b.copies(), self.tpcb_on)

    def tpcb_after_checkpoint(self):
        return pairs(self.b, self.b.three(), self.tpcb_on, prepare=lambda s: s.sql("checkpoint"))

    def tpcb_during_checkpoints(self):
        def measure(server):
            def checkpoint():
                server.sql("checkpoint")
                time.sleep(0.5)
            with beside(checkpoint):
                return self.tpcb_on(server)
        return pairs(self.b, self.b.three(), measure)

    # --- point reads
    def select_warm(self):
        # rows that TPC-B left behind would have the first of these reads write hint bits
        for server in self.b.three():
            server.start()
            server.sql("vacuum", "bank")
            server.sql("checkpoint")
        return pairs(self.b, self.b.three(), lambda s: s.pgbench("bank", self.b.seconds, "-S"))

    def select_cold(self):
        self.b.require_root()
        return pairs(self.b, self.b.three(), lambda s: s.pgbench("bank", self.b.seconds, "-S"),
                     prepare=lambda s: s.cold(), warm_up=False)

    # --- sequential scans
    def scan_warm(self, database, query):
        def prepare(server):
            server.sql("checkpoint")
            server.timed(query, database)
        return pairs(self.b, self.b.three(), lambda s: s.timed(query, database), prepare)

    def scan_cold(self, database, query, contestants=None):
        self.b.require_root()
        return pairs(self.b, contestants or self.b.three(), lambda s: s.timed(query, database),
                     prepare=lambda s: s.cold(), warm_up=False)

    def scan_after_updates(self):
        """One row changed on each of 20 % of the pages, at random places, and the collector run."""
        self.b.require_root()
        contestants = self.b.three()
        for server in contestants:
            server.start()
            server.sql("update pgbench_accounts set abalance = abalance + 1 "
                       "where aid % 61 = 0 and abs(hashint4(aid)) % 5 = 0", "scan")
            server.sql("vacuum pgbench_accounts", "scan")
            server.sql("checkpoint")
        self.b.sweep()
        return self.scan_cold("scan", SCAN, contestants)

    # --- bulk writes
    def bulk(self):
        """pgbench -i, CREATE INDEX and VACUUM in one database after another; three lines at once."""
        scale = self.b.size["load"]
        parts = {"load": {}, "index": {}, "vacuum": {}}

        def measure(server):
            server.sql("drop database if exists load")
            server.sql("create database load")
            begun = time.monotonic()
            call(server.client("pgbench", "-i", "-q", "-s", str(scale), "load"))
            loaded = (time.monotonic() - begun) * 1000
            indexed = server.timed("create index on pgbench_accounts (bid, aid)", "load")
            server.sql("update pgbench_accounts set abalance = 1 where aid % 10 = 0", "load")
            vacuumed = server.timed("vacuum pgbench_accounts", "load")
            server.sql("checkpoint")
            return {"load": loaded, "index": indexed, "vacuum": vacuumed}
        got = pairs(self.b, self.b.three(), measure, count=self.b.few_pairs, warm_up=not self.b.options.minutes)
        for name, values in got.items():
            for part in parts:
                parts[part][name] = [value[part] for value in values]
        for server in self.b.three():
            server.sql("drop database load")
        return parts

    def sort(self):
        rows = self.b.size["sort"] << 10
        text = ("select sum(length(t)) from (select g, repeat('x', 1000) || g as t "
                f"from generate_series(1, {rows}) g order by hashint4(g) offset 0) s")
        values = pairs(self.b, self.b.three(), lambda s: s.timed(text, "postgres"), count=self.b.few_pairs)
        spilled = self.b.plain().sql("select pg_size_pretty(max(temp_bytes)) from pg_stat_database")
        self.b.note(f"sort: {spilled} of temporary files in all rounds of one server")
        return values

    # --- depth, collector, many branches: ratios to PgArbor itself or to plain
    def deep(self):
        depth = self.b.size["depth"]
        shallow = self.b.fork("depth-1")
        parent = "main"
        for level in range(1, depth + 1):
            deep = self.b.engine().fork(f"deep-{level}", parent)
            if level % 8 == 0:  # some of them have pages of their own
                deep.start()
                deep.pgbench("bank", 1)
                deep.stop()
            parent = deep.name
        deep.label = "deep"
        values = {}
        for key, arguments in (("tpcb", ()), ("select", ("-S",))):
            got = pairs(self.b, [shallow, deep], lambda s: s.pgbench("bank", self.b.seconds, *arguments))
            values["deep-" + key] = {"plain": got[shallow.name], "arbor": got[deep.name]}
        shallow.stop()
        deep.stop()
        return values

    def tpcb_sweeping(self):
        engine = self.b.engine()
        plain, fork = self.b.plain(), self.b.fork("work")

        def measure(server):
            if server is plain:
                return self.tpcb_on(server)
            with beside(lambda: sweep(engine)) as sweeps:
                got = self.tpcb_on(server)
            self.b.note(f"sweeping: {len(sweeps)} sweeps in a run")
            return got
        self.b.keep_no_history(True)
        try:
            return pairs(self.b, [plain, fork], measure)
        finally:
            self.b.keep_no_history(False)

    def many_running(self):
        """The busy one of many running branches, to itself alone."""
        busy = self.b.fork("work")
        others = [self.b.engine().fork(f"idle-{i}", "main") for i in range(self.b.size["branches"] - 1)]
        alone, among = [], []
        busy.start()
        self.tpcb_on(busy)
        for _ in range(self.b.few_pairs):
            alone.append(self.tpcb_on(busy))
            for other in others:
                other.start()
            among.append(self.tpcb_on(busy))
            for other in others:
                other.stop()
        return {"plain": alone, "arbor": among}

    # --- what is reported and has no pairs
    def disk(self, kind):
        """What a store with ten forks, each with 1 % of the pages changed, takes, to one plain directory."""
        engine, plain = self.b.disk_store(kind)
        change = {"bank": ("update pgbench_accounts set abalance = abalance + 1 "
                           "where aid % 61 = 0 and abs(hashint4(aid)) % 100 = {}"),
                  "noise": "update noise set noise = overlay(noise placing '\\xff' from 1) "
                           "where id % 4 = 0 and abs(hashint4(id::int)) % 100 = {}"}[kind]
        database = {"bank": "bank", "noise": "scan"}[kind]
        for number in range(10):
            fork = engine.fork(f"fork-{number}", "main")
            fork.start()
            fork.sql(change.format(number), database)
            fork.sql("checkpoint")
            fork.stop()
        used = lambda path: int(call(["du", "-sB1", "--exclude=mnt", path]).split()[0])
        whole = used(engine.store)
        pages = used(engine.store + "/pages") + used(engine.store + "/index")
        one = used(plain)
        engine.stop()
        self.b.note(f"disk, {kind}: store {whole >> 20} MB, of it pages and index {pages >> 20} MB; one plain "
                    f"directory {one >> 20} MB")
        return {"ratio": round(whole / one, 2), "pages": round(pages / one, 2)}

    def latency(self):
        """Microseconds of a page read, as the reader sees it, in four situations; and in one in which a plain
        server has the processors that in the fourth the engine and its server have."""
        engine = self.b.engine()
        fork = self.b.fork("latency")
        fork.start()
        seconds = max(3, self.b.seconds)
        path = fork.sql("select pg_relation_filepath('pgbench_accounts')", "scan")
        file = os.path.join(fork.sql("show data_directory"), path)
        # the user of the servers may not look into the home that this checkout lies in
        script = shutil.copy(os.path.join(os.path.dirname(__file__), "read_latency"), self.b.place.directory)
        busy = self.b.fork("work")
        busy.start()

        def read():
            # what a read of the disk takes is the disk's: the host has all segments in its page cache
            for segment in glob.glob(os.path.join(engine.store, "pages", "*")):
                call(["cat", segment], check=False, output=subprocess.DEVNULL)  # a sweep may have taken it
            return self.b.json_of(self.b.place.as_user([script, str(seconds), file]))

        read()
        cpu = engine.cpu_seconds()
        results = {"quiet": read()}
        spent = engine.cpu_seconds() - cpu
        results["quiet"]["engine CPU a page, us"] = round(spent * 1e6 / results["quiet"]["reads"], 1)
        busy.pgbench("bank", seconds)
        self.b.keep_no_history(True)
        with beside(lambda: sweep(engine)):
            results["during a sweep"] = read()
        self.b.keep_no_history(False)

        def write_on(server):
            server.pgbench("bank", 1, "-R", "300")
            server.sql("checkpoint")
        with beside(lambda: write_on(busy)):
            results["during writes and compactions of the index"] = read()
        plain = self.b.plain()
        plain.start()
        with beside(lambda: write_on(plain)):
            results["while plain PostgreSQL does the same elsewhere"] = read()
        plain.stop()
        fork.sql("create table tick (n int); insert into tick values (0)")
        rounds = self.b.size["checkpoints"]
        for _ in range(rounds):
            fork.sql("update tick set n = n + 1; checkpoint")
        self.b.restart_engine()
        fork.start()
        results[f"not rewritten for {rounds} checkpoints, after a restart"] = read()
        fork.stop()
        busy.stop()
        return results

    def memory(self):
        """The engine's memory with 100 branches, 10 of which were read throughout."""
        engine = self.b.engine()
        self.b.restart_engine()
        start = self.b.memory_of(engine)
        branches = [engine.fork(f"many-{i}", "main") for i in range(self.b.size["many"])]
        made = self.b.memory_of(engine)
        readers = branches[:10]
        for fork in readers:
            fork.start()
            fork.sql("set max_parallel_workers_per_gather = 0; " + SCAN, "scan")
        read = self.b.memory_of(engine)
        for fork in readers:
            fork.stop()
        logical = os.path.getsize
        total = sum(logical(os.path.join(directory, name)) for directory, _, names in os.walk(self.b.template_data())
                    for name in names if "pg_wal" not in directory)
        return {"branches": len(branches) + 1, "database MB": total >> 20, "MB open": start >> 20,
                "MB with all branches": made >> 20, "MB after reading 10 of them": read >> 20}


def table(bench):
    lines = Lines(bench)
    return [
        Line("tpcb", "TPC-B, 4 clients, on a fork", lines.tpcb, 1.0, ("bank",)),
        Line("tpcb-after-checkpoint", "the same, right after a checkpoint", lines.tpcb_after_checkpoint, 1.0, ("bank",)),
        Line("tpcb-during-checkpoints", "the same, during checkpoints", lines.tpcb_during_checkpoints, 1.0, ("bank",)),
        Line("select-warm", "pgbench -S, warm", lines.select_warm, 0.95, ("bank",)),
        Line("scan-warm", "sequential scan, warm", lambda: lines.scan_warm("scan", SCAN), 0.95, ("scan",), "ms"),
        Line("scan-cold", "sequential scan, cold", lambda: lines.scan_cold("scan", SCAN), 0.9, ("scan",), "ms"),
        Line("noise-warm", "incompressible, warm", lambda: lines.scan_warm("scan", SCAN_NOISE), 0.95, ("noise",), "ms"),
        Line("noise-cold", "incompressible, cold", lambda: lines.scan_cold("scan", SCAN_NOISE), 0.9, ("noise",), "ms"),
        Line("select-cold", "pgbench -S, cold", lines.select_cold, 0.85, ("bank",)),
        Line("bulk", {"load": "pgbench -i", "index": "CREATE INDEX", "vacuum": "VACUUM"}, lines.bulk,
             {"load": 0.6, "index": 0.6, "vacuum": 0.9}, (), "ms"),
        Line("sweeping", "TPC-B while the collector sweeps", lines.tpcb_sweeping, 0.9, ("bank",)),
        Line("latency", "latency of a page read, us", lines.latency, None, ("scan", "bank"), "report"),
        Line("deep", {"deep-tpcb": "TPC-B deep down, to depth 1", "deep-select": "pgbench -S deep down, to depth 1"},
             lines.deep, {"deep-tpcb": 0.97, "deep-select": 0.97}, ("bank",)),
        Line("sort", "sort spilling to temporary files", lines.sort, 0.97, (), "ms"),
        Line("many-running", "one busy of many running, to alone", lines.many_running, 0.95, ("bank",)),
        Line("scan-updated", "cold scan after updates of 20 % and a sweep", lines.scan_after_updates, 0.8, ("scan",), "ms"),
        Line("disk-bank", "disk: main and 10 forks, pgbench data", lambda: lines.disk("bank"), None, ("bank",), "report"),
        Line("disk-noise", "disk: the same, incompressible", lambda: lines.disk("noise"), None, ("noise",), "report"),
        Line("memory", "memory with many branches", lines.memory, None, ("scan",), "report"),
    ]

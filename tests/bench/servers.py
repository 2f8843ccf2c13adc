"""The contestants of tests/bench/run: the same data under plain Postgres, under PgArbor, under a mount of a plain
directory, and as copies that other file systems make."""
import glob
import json
import os
import re
import shutil
import subprocess
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


class Failed(Exception):
    """A command that should have worked did not."""


def call(command, check=True, env=None, output=subprocess.PIPE):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE,
                              text=True, env=env, timeout=900)
    except subprocess.TimeoutExpired as hung:
        raise Failed(f"{' '.join(map(str, command))}: did not end in 15 minutes") from hung
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Place:
    """The directory of a run, the user who owns the servers, and everything that must be undone."""

    def __init__(self, build, base):
        self.build = build
        self.is_root = os.geteuid() == 0
        self.user = "postgres" if self.is_root else None
        self.directory = subprocess.check_output(
            ["mktemp", "-d", os.path.join(base, "arbor-bench-XXXXXX")], text=True).strip()
        os.chmod(self.directory, 0o755)
        self.own(self.directory)
        self.undo = []
        self.port = 54000 + os.getpid() % 5000
        candidates = glob.glob("/usr/lib/postgresql/*/bin") + [os.path.dirname(shutil.which("initdb") or "")]
        fit = [b for b in candidates if b and os.path.exists(os.path.join(b, "initdb"))]
        if not fit:
            raise Failed("no PostgreSQL server was found")
        self.bin = max(fit, key=lambda b: float((re.findall(r"/(\d+)/", b) or [0])[0]))

    def own(self, path):
        if self.is_root:
            shutil.chown(path, "postgres", "postgres")

    def as_user(self, command):
        if not self.is_root:
            return command
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]

    def next_port(self):
        self.port += 1
        return self.port

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def clean(self):
        for action in reversed(self.undo):
            try:
                action()
            except Exception as error:  # what cannot be undone is said, and the rest is undone
                print(f"cleaning up: {error}")
        self.undo = []
        shutil.rmtree(self.directory, ignore_errors=True)


class PageCache:
    """The machine's, which all contestants share."""
    emptied = 0

    @staticmethod
    def empty():
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w") as knob:
            knob.write("3")
        PageCache.emptied += 1


class Server:
    """A Postgres that runs somewhere. Subclasses say how it starts and stops."""
    name = ""

    def __init__(self, place):
        self.place = place
        self.running, self.warm_since = False, None
        self.environment = {}

    def client(self, program, *arguments):
        assignments = [f"{key}={value}" for key, value in self.environment.items()]
        return self.place.as_user(["env", *assignments, os.path.join(self.place.bin, program), *arguments])

    def sql(self, text, database="postgres"):
        return call(self.client("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text)).strip()

    def timed(self, text, database):
        """Milliseconds that the statement took, by psql's own clock."""
        said = call(self.client("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", r"\timing on",
                                "-c", text))
        return float(re.findall(r"Time: ([\d.]+) ms", said)[-1])

    def pgbench(self, database, seconds, *arguments, clients=4):
        said = call(self.client("pgbench", "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), *arguments,
                                database))
        return float(re.findall(r"tps = ([\d.]+)", said)[-1])

    def background(self, program, *arguments):
        return subprocess.Popen(self.client(program, *arguments), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        if not self.running:
            self.do_start()
            self.running = True

    def stop(self):
        if self.running:
            self.do_stop()
            self.running = False

    def warm(self):
        """All of the data in the page cache, whoever touched it before."""
        self.start()
        if self.warm_since != PageCache.emptied:
            data = self.sql("show data_directory")
            call(self.place.as_user(["find", data + "/base", "-type", "f", "-exec", "cat", "{}", "+"]),
                 check=False, output=subprocess.DEVNULL)  # a file may go meanwhile
            self.warm_since = PageCache.emptied

    def cold(self):
        """Nothing of the data in any cache but the engine's own."""
        self.stop()
        PageCache.empty()
        self.start()


class Plain(Server):
    """A data directory, with pg_ctl."""

    def __init__(self, place, name, data, settings=()):
        super().__init__(place)
        self.name, self.data, self.settings = name, data, list(settings)
        self.port = place.next_port()
        self.environment = {"PGHOST": place.directory, "PGPORT": self.port, "PGUSER": "postgres"}
        place.undo.append(self.stop)

    def do_start(self):
        options = f"-p {self.port} -k {self.place.directory} -c listen_addresses= " + " ".join(self.settings)
        call(self.place.as_user([self.place.bin + "/pg_ctl", "-D", self.data, "-w", "-t", "300", "-s", "-l",
                                 self.place.path(self.name + ".log"), "-o", options, "start"]))

    def do_stop(self):
        call(self.place.as_user([self.place.bin + "/pg_ctl", "-D", self.data, "-w", "-t", "300", "-s", "-m", "fast",
                                 "stop"]))


class Bound(Plain):
    """Our mount over a plain directory, our settings, the log native: what FUSE leaves possible."""

    def __init__(self, place, source, settings):
        base = place.path("bound")
        os.mkdir(base)
        os.mkdir(base + "/mnt")
        call(["cp", "-a", source, base + "/data"])
        os.rename(base + "/data/pg_wal", base + "/wal")
        os.symlink(base + "/wal", base + "/data/pg_wal")
        os.mkdir(base + "/tmp", 0o700)
        shutil.rmtree(base + "/data/base/pgsql_tmp", ignore_errors=True)
        os.symlink(base + "/tmp", base + "/data/base/pgsql_tmp")
        for path in (base, base + "/mnt", base + "/tmp"):
            place.own(path)
        command = [place.build + "/bin/bench_passthrough", base + "/data", base + "/mnt"]
        if place.is_root:
            owner = os.stat(base + "/data")
            command += [str(owner.st_uid), str(owner.st_gid)]
        self.mount = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        place.undo.append(self.unmount)
        if self.mount.stdout.readline().strip() != "ready":
            raise Failed("the mount of a plain directory did not come up")
        super().__init__(place, "bound", base + "/mnt/1", settings)

    def unmount(self):
        self.mount.stdin.close()
        self.mount.wait(timeout=60)


class Copy(Plain):
    """A copy of the data directory that another file system shares blocks for."""

    def __init__(self, place, kind, source, size):
        base = place.path(kind)
        os.mkdir(base)
        image = place.path(kind + ".img")
        with open(image, "wb") as file:
            file.truncate(size)
        make = {"xfs": ["mkfs.xfs", "-q", "-m", "reflink=1", image], "btrfs": ["mkfs.btrfs", "-q", image]}[kind]
        call(make)
        call(["mount", "-o", "loop", image, base])
        place.undo.append(lambda: (call(["umount", base], check=False), os.path.exists(image) and os.unlink(image)))
        if kind == "btrfs":
            call(["btrfs", "subvolume", "create", base + "/main"])
            call(["cp", "-a", source, base + "/main/data"])
            call(["btrfs", "subvolume", "snapshot", base + "/main", base + "/fork"])
        else:
            os.mkdir(base + "/main")
            os.mkdir(base + "/fork")
            call(["cp", "-a", source, base + "/main/data"])
            call(["cp", "-a", "--reflink=always", base + "/main/data", base + "/fork/data"])
        super().__init__(place, kind, base + "/fork/data")


class Engine:
    """A store and its engine."""

    def __init__(self, place, name="store"):
        self.place = place
        self.store = place.path(name)
        self.environment = dict(os.environ, PGARBOR_STORE=self.store,
                                PGARBOR_ENGINE=place.build + "/bin/pgarbord", PATH=place.bin + ":" +
                                os.environ["PATH"])
        place.undo.append(self.stop)
        self.ctl("init")

    def ctl(self, *arguments, check=True):
        return call([self.place.build + "/bin/pgarborctl", *arguments], check=check, env=self.environment)

    def json(self, *arguments):
        return json.loads(self.ctl("--json", *arguments))

    def stop(self):
        self.ctl("engine", "stop", check=False)

    def fork(self, name, parent):
        self.ctl("branch", "create", name, "--from", parent)
        return Branch(self, name)

    def counters(self):
        """The engine's counters: {name{labels}: value}."""
        lines = [line.rsplit(" ", 1) for line in self.ctl("metrics").splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def process(self):
        """The engine's process id."""
        for directory in glob.glob("/proc/[0-9]*"):
            try:
                with open(directory + "/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open(directory + "/status") as file:
                    threads = int(re.findall(r"Threads:\s+(\d+)", file.read())[0])
            except (OSError, IndexError):
                continue
            if words and words[0].endswith(b"pgarbord") and self.store.encode() in words and threads > 1:
                return int(os.path.basename(directory))
        raise Failed("the engine's process was not found")

    def memory(self):
        with open(f"/proc/{self.process()}/status") as file:
            return int(re.findall(r"VmRSS:\s+(\d+) kB", file.read())[0]) * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process()}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Branch(Server):
    """A branch of a store."""

    def __init__(self, engine, name):
        super().__init__(engine.place)
        self.engine, self.name = engine, name

    def do_start(self):
        self.engine.ctl("start", self.name)
        said = self.engine.ctl("env", self.name)
        self.environment = dict(re.findall(r"^(?:export )?(PG\w+)='?([^'\n]*)'?", said, re.M))

    def do_stop(self):
        self.engine.ctl("stop", self.name)

    def settings(self):
        """Those of the engine's settings that a mount without the engine needs to be compared with it."""
        wanted = ("full_page_writes", "wal_recycle", "wal_init_zero", "max_wal_size")
        said = self.sql("select name || '=' || setting || coalesce(unit, '') from pg_settings where name in ('" +
                        "','".join(wanted) + "')")
        return [f"-c {line}" for line in said.splitlines()]


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed("waited too long")
        time.sleep(0.05)

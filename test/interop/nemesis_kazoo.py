"""Clients of kazoo that write while servers are hurt. Reads one line from standard input, then stops, looks at what is
there through every member, prints one line of JSON, and ends with 1 when anything is wrong.

    nemesis_kazoo.py HOST:PORT,...
"""
import json
import logging
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import BadVersionError, ConnectionLoss
from kazoo.protocol.connection import ConnectionDropped
from kazoo.handlers.threading import KazooTimeoutError

logging.basicConfig(level=logging.CRITICAL)
HOSTS = sys.argv[1]
THREADS = 3
LOST = (ConnectionLoss, ConnectionDropped, KazooTimeoutError)
over = threading.Event()
wrong = []
counts = {"acknowledged": 0, "in doubt": 0, "reads after sync": 0, "multis": 0}
sequence = {}
lock = threading.Lock()


def count(name, by=1):
    with lock:
        counts[name] += by


class Worker(threading.Thread):
    """One session. Does one thing after another, and looks after each doubt what came of it."""

    def __init__(self, n):
        super().__init__(daemon=True)
        self.n, self.i = n, 0
        self.created, self.ephemerals, self.numbered = set(), set(), {}
        self.doubted = {}
        self.value = None                                # of the register: (data, version)
        self.pair = 0                                    # written to two nodes by multis
        self.prepared = threading.Event()
        self.zk = KazooClient(HOSTS, timeout=40, command_retry=None, randomize_hosts=True,
                              connection_retry=dict(max_tries=-1, delay=0.02, max_delay=0.3))
        self.zk.add_listener(self.listen)

    def listen(self, state):
        if state == KazooState.LOST and not over.is_set():
            wrong.append("kazoo %d: its session ended" % self.n)

    def path(self, kind, i=""):
        return "/k/%s%d-%s" % (kind, self.n, i)

    def sure(self, work):
        """Repeats a read until it is answered."""
        end = time.time() + 120
        while True:
            try:
                return work()
            except LOST:
                if time.time() > end:
                    raise
                time.sleep(0.05)

    def look(self, path):
        def both():
            self.zk.sync("/k")
            stat = self.zk.exists(path)
            return None if stat is None else self.zk.get(path)
        found = self.sure(both)
        count("reads after sync")
        return None if found is None else (found[0], found[1].version)

    def attempt(self, work):
        """The result, or None when it is not known whether it was done."""
        try:
            result = work()
            count("acknowledged")
            return result
        except LOST:
            count("in doubt")
            return None

    def make(self, kind, known, **how):
        path = self.path(kind, self.i)
        if self.attempt(lambda: self.zk.create(path, b"%d" % self.i, **how)) is not None:
            known.add(path)
        elif self.look(path) is not None:
            known.add(path)

    def number(self):
        data = b"%d-%d" % (self.n, self.i)
        path = self.attempt(lambda: self.zk.create("/k/seq/s-", data, sequence=True))
        if path is None:
            self.doubted[data] = True
            return
        with lock:
            if path in sequence:
                wrong.append("%s was given twice: %r, %r" % (path, sequence[path], data))
            sequence[path] = data

    def register(self):
        path, data = self.path("r"), b"v%d" % self.i
        old = self.value
        try:
            stat = self.attempt(lambda: self.zk.set(path, data, version=old[1]))
        except BadVersionError:
            wrong.append("%s: version %d is not the current one, and nobody else writes" % (path, old[1]))
            stat = None
        if stat is not None:
            self.value = (data, stat.version)
            if stat.version != old[1] + 1:
                wrong.append("%s: version %d follows %d" % (path, stat.version, old[1]))
            return
        seen = self.look(path)
        if seen not in (old, (data, old[1] + 1)):
            wrong.append("%s: %r is there, %r was acknowledged" % (path, seen, old))
        self.value = seen

    def multi(self):
        new, made = self.pair + 1, self.path("m", self.i)
        names = [self.path("p", "a"), self.path("p", "b")]

        def commit():
            t = self.zk.transaction()
            for name in names:
                t.set_data(name, b"%d" % new, version=self.pair)
            t.create(made)
            return t.commit()
        results = self.attempt(commit)
        count("multis")
        if results is not None and any(isinstance(each, Exception) for each in results):
            wrong.append("a multi failed: %r" % (results,))
        seen = [self.look(name) for name in names]
        there = self.look(made) is not None
        done = seen[0] == (b"%d" % new, new)
        if seen[0] != seen[1] or there != done or (results is not None and not done) or \
                (not done and seen[0] != (b"%d" % self.pair, self.pair)):
            wrong.append("half of a multi, or a lost one: %r, %s %s, after %d" % (seen, made, there, self.pair))
        if done:
            self.pair = new
            self.created.add(made)

    def read(self):
        seen = self.look(self.path("r"))
        if seen != self.value:
            wrong.append("stale after sync: %r instead of %r" % (seen, self.value))

    def run(self):
        try:
            self.live()
        except Exception as error:                        # what nobody expected is a fault too
            wrong.append("kazoo %d: %s %s" % (self.n, type(error).__name__, error))

    def live(self):
        self.zk.start(timeout=60)
        for path in ("/k/seq",):
            self.zk.ensure_path(path)
        self.zk.create(self.path("r"), b"v0")
        self.value = (b"v0", 0)
        for name in "ab":
            self.zk.create(self.path("p", name), b"0")
        self.prepared.set()
        while not over.is_set():
            self.i += 1
            kind = self.i % 6
            if kind == 0:
                self.make("c", self.created)
            elif kind == 1:
                self.number()
            elif kind == 2:
                self.register()
            elif kind == 3:
                self.multi()
            elif kind == 4 and self.i % 24 == 4:
                self.make("e", self.ephemerals, ephemeral=True)
            else:
                self.read()


def verify(workers):
    for host in HOSTS.split(","):
        zk = KazooClient(host, timeout=10)
        zk.start(timeout=60)
        zk.sync("/k")
        names = set("/k/" + name for name in zk.get_children("/k"))
        numbered = {"/k/seq/" + name: zk.get("/k/seq/" + name)[0] for name in zk.get_children("/k/seq")}
        for worker in workers:
            for path in worker.created | worker.ephemerals:
                if path not in names:
                    wrong.append("%s: %s was acknowledged and is not there" % (host, path))
            owner = worker.zk.client_id[0]
            for path in worker.ephemerals & names:
                if zk.exists(path).ephemeralOwner != owner:
                    wrong.append("%s: %s is not its session's" % (host, path))
            register = zk.get(worker.path("r"))
            if (register[0], register[1].version) != worker.value:
                wrong.append("%s: register %r, not %r" % (host, register, worker.value))
        for path, data in sequence.items():
            if numbered.get(path) != data:
                wrong.append("%s: %s holds %r, not %r" % (host, path, numbered.get(path), data))
        if len(set(numbered.values())) != len(numbered):
            wrong.append("%s: a numbered node was made twice" % host)
        zk.stop()
        zk.close()


workers = [Worker(n) for n in range(THREADS)]
for each in workers:
    each.start()
for each in workers:                                     # what a worker begins with is not written in doubt
    if not each.prepared.wait(120):
        wrong.append("kazoo %d does not begin" % each.n)
print("ready", flush=True)
sys.stdin.readline()
over.set()
for each in workers:
    each.join(180)
    if each.is_alive():
        wrong.append("kazoo %d does not come to an end" % each.n)
try:
    verify(workers)
except Exception as error:
    wrong.append("verify: %s %s" % (type(error).__name__, error))
counts["numbered"] = len(sequence)
counts["ephemerals"] = sum(len(each.ephemerals) for each in workers)
print(json.dumps({"counts": counts, "wrong": wrong[:20]}), flush=True)
for each in workers:
    each.zk.stop()
    each.zk.close()
sys.exit(1 if wrong else 0)

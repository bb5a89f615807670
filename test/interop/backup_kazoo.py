"""A workload of kazoo's with a log of its own: which writes were acknowledged, and under which zxid.
`write HOSTS LOG`: writes until standard input ends, a line `PATH ZXID` for each acknowledgement, flushed; prints `ready` first.
`judge HOSTS LOG ZXID`: whatever was acknowledged up to ZXID is there, and nothing after; prints how many of each."""
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException

WRITERS = 4
PARENT = "/workload"


def write(hosts, log):
    over = threading.Event()
    lock = threading.Lock()
    file = open(log, "w")

    def run(number):
        zk = KazooClient(hosts=hosts, timeout=20)
        zk.start(60)
        for i in range(1000000):
            if over.is_set():
                break
            path = "%s/w%d-%d" % (PARENT, number, i)
            try:
                _, stat = zk.create(path, b"x" * 100, include_data=True)
            except KazooException:
                continue  # not known to be acknowledged
            with lock:
                file.write("%s %d\n" % (path, stat.czxid))
            if i % 20 == 19:
                # nodes that are there before change and go as well
                zk.set(path, b"y" * 200)
                zk.delete("%s/w%d-%d" % (PARENT, number, i - 1))
                with lock:
                    file.write("-%s/w%d-%d 0\n" % (PARENT, number, i - 1))
        zk.stop()

    first = KazooClient(hosts=hosts, timeout=20)
    first.start(60)
    first.ensure_path(PARENT)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    file.close()
    first.stop()


def judge(hosts, log, zxid):
    created, gone = {}, set()
    for line in open(log):
        path, czxid = line.split()
        if path[0] == "-":
            gone.add(path[1:])
        else:
            created[path] = int(czxid)
    zk = KazooClient(hosts=hosts, timeout=20)
    zk.start(60)
    there = {"%s/%s" % (PARENT, name) for name in zk.get_children(PARENT)}
    missing = [path for path, at in created.items() if at <= zxid and path not in there and path not in gone]
    later = [path for path, at in created.items() if at > zxid and path in there]
    # what was not acknowledged may be there, if its zxid says so
    unknown = [path for path in there if path not in created and zk.exists(path).czxid > zxid]
    other = [path for path, at in created.items() if path in there and zk.exists(path).czxid != at]
    assert not (missing or later or unknown or other), (missing[:3], later[:3], unknown[:3], other[:3])
    before = sum(1 for at in created.values() if at <= zxid)
    print("before %d after %d" % (before, len(created) - before), flush=True)
    zk.stop()


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3])
else:
    judge(sys.argv[2], sys.argv[3], int(sys.argv[4], 16))

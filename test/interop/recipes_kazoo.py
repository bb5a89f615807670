"""One client of kazoo that uses a recipe beside ours. What it does inside is written into a folder that all share.

    recipes_kazoo.py HOST:PORT FOLDER NAME RECIPE ROUNDS
"""
import logging
import os
import sys
import time

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, KazooException, NoNodeError
from kazoo.recipe.lock import WriteLock
from kazoo.recipe.queue import LockingQueue

logging.basicConfig(level=logging.CRITICAL)
hosts, folder, name, recipe, rounds = sys.argv[1:6]
rounds = int(rounds)
endless = dict(max_tries=-1, delay=0.02, max_delay=0.2)
zk = KazooClient(hosts, timeout=30, connection_retry=dict(endless), command_retry=dict(endless))
zk.start(60)


def note(file, text):
    fd = os.open(os.path.join(folder, file), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, (text + "\n").encode())
    os.close(fd)


def inside(kind, sequence):
    """Being in: who else is in is looked at when the own sign is up."""
    sign = os.path.join(folder, "in-%s-%s" % (kind, name))
    os.close(os.open(sign, os.O_CREAT | os.O_EXCL))
    note("seen", " ".join(sorted(each for each in os.listdir(folder) if each.startswith("in-"))))
    if sequence is not None:
        note("order", sequence)
    time.sleep(0.004)
    os.unlink(sign)


def held(lock, kind):
    lock.acquire()
    inside(kind, lock.node[-10:] if hasattr(lock, "node") else None)
    lock.release()


def lock(at):
    held(zk.Lock("/lock", name), "w")


def election(at):
    e = zk.Election("/election", name)

    def lead():
        inside("w", e.lock.node[-10:])
        note("contenders", " ".join(zk.retry(e.contenders)))

    e.run(lead)


def readwrite(at):
    # a ReadLock of kazoo waits for writers behind it as well, who wait for it: two of kazoo's hang alone
    held(WriteLock(zk, "/rw", name), "w")


def semaphore(at):
    held(zk.Semaphore("/semaphore", name, max_leases=2), "s")


def counter(at):
    zk.Counter("/counter").__add__(1)


def told(file, line):
    """How many lines of a file are this one, or begin with it and a blank."""
    try:
        with open(os.path.join(folder, file)) as lines:
            return len([1 for each in lines if each.strip() == line or each.startswith(line + " ")])
    except FileNotFoundError:
        return 0


def until_told(file, line, count):
    while told(file, line) < count:
        time.sleep(0.005)


# what is deleted without hearing of it is lost to kazoo's Queue, which takes the next: that one is in doubt, and no other
seen = {}
get_node, delete_node = zk.get, zk.delete


def get_remembering(path, *args, **kwargs):
    found = get_node(path, *args, **kwargs)
    seen[path] = found[0]
    return found


def delete_noting(path, *args, **kwargs):
    try:
        return delete_node(path, *args, **kwargs)
    except NoNodeError:
        raise
    except KazooException:
        if path.startswith("/queue/"):
            note("doubt", seen[path].decode())
        raise


def queue(at):
    zk.get, zk.delete = get_remembering, delete_noting
    q = zk.Queue("/queue")
    try:
        q.put(b"kazoo")
    except ConnectionLoss:
        pass                                             # kazoo does not repeat it; whether it was done is not known
    item = q.get()
    if item is not None:
        note("took", item.decode())


def locking(at):
    q = LockingQueue(zk, "/work")
    item = None
    try:
        item = q.get(0.05)
        if item is not None and q.consume():
            note("done", item.decode())
    except KazooException:
        if item is not None:
            note("doubt", item.decode())                 # it may have done it without hearing of it
        # its own lock on an item goes with its session


def barrier(at):
    # kazoo forgets what it watches when the connection is lost, and would wait for ever: the server is killed while it is not there
    if told("hold", "enter %d" % at):
        until_told("mended", "enter %d" % at, 1)
    b = zk.DoubleBarrier("/barrier", 4, name)
    note("came", str(at))
    b.enter()
    note("entered", "%d %d" % (at, told("came", str(at))))
    # one of kazoo's that has not noticed yet that all came would miss who leaves, and wait for ever
    until_told("entered", str(at), 4)
    if told("hold", "leave %d" % at):
        until_told("mended", "leave %d" % at, 1)
    b.leave()
    note("left", str(at))
    # the next round begins when this one is over for all
    until_told("left", str(at), 4)


def party(at):
    p = zk.Party("/party", name)
    p.join()
    end = time.time() + 120
    while len(p) < 4:
        if time.time() > end:
            sys.exit("FAIL: %d members" % len(p))
        time.sleep(0.01)
    note("party", "%d %s" % (at, " ".join(sorted(p))))
    until_told("party", str(at), 4)
    p.leave()
    note("left", str(at))
    until_told("left", str(at), 4)


note("began", name)
for i in range(rounds):
    globals()[recipe](i)
zk.stop()
zk.close()

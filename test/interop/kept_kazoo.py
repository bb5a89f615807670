"""A program that holds an ephemeral node, and whose session is imported with the rest: it goes on with both.
Prints `ready`, and `again SECONDS` once it writes again; argument: host:port."""
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState

TIMEOUT = 20
states = []
away = threading.Event()
connected = threading.Event()
changed = threading.Event()


def listen(state):
    states.append(state)
    if state == KazooState.CONNECTED:
        connected.set()
    else:
        away.set()
        connected.clear()


zk = KazooClient(hosts=sys.argv[1], timeout=TIMEOUT)
zk.add_listener(listen)
zk.start(60)
zk.create("/kept", b"before", ephemeral=True)
zk.create("/watched-kept", b"0")


@zk.DataWatch("/watched-kept")
def seen(data, stat):
    if data == b"1":
        changed.set()


session, password = zk.client_id
made = zk.exists("/kept")
assert made.ephemeralOwner == session
print("ready", flush=True)
assert away.wait(120), "the connection was not lost"
began = time.monotonic()
assert connected.wait(60), "no server was found again"
deadline = time.monotonic() + 30
while zk.client_id[1] == password and time.monotonic() < deadline:
    time.sleep(0.05)
assert KazooState.LOST not in states, "the session was lost: %s" % states
assert zk.client_id[0] == session, "another session"
assert zk.client_id[1] != password, "Apache's password still counts"
now = zk.exists("/kept")
assert now is not None and now.ephemeralOwner == session and now.czxid == made.czxid, "the node is not the same: %s" % (now,)
zk.set("/kept", b"after")
zk.set("/watched-kept", b"1")
assert changed.wait(20), "the watch did not tell"
print("again %.1f" % (time.monotonic() - began), flush=True)

# whoever works Apache's password out has nothing of it any more
thief = KazooClient(hosts=sys.argv[1], timeout=TIMEOUT, client_id=(session, password))
lost = threading.Event()
thief.add_listener(lambda state: lost.set() if state == KazooState.LOST else None)
thief.start(60)
assert lost.is_set() or thief.client_id[0] != session, "Apache's password opens it"
thief.stop()
assert zk.get("/kept")[0] == b"after"
assert KazooState.LOST not in states, "the session was lost: %s" % states
zk.stop()

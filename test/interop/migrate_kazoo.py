"""A program that holds an ephemeral node and watches another: it goes on when the server it knew is one of ours.
Prints `ready`, and `again SECONDS` once it holds the node anew and was told of a change; argument: host:port."""
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState

TIMEOUT = 10
lost = threading.Event()
connected = threading.Event()
changed = threading.Event()


def listen(state):
    if state == KazooState.LOST:
        lost.set()
    if state == KazooState.CONNECTED:
        connected.set()
    else:
        connected.clear()


zk = KazooClient(hosts=sys.argv[1], timeout=TIMEOUT)
zk.add_listener(listen)
zk.start(60)
zk.create("/held", b"before", ephemeral=True)
zk.create("/watched", b"0")


@zk.DataWatch("/watched")
def seen(data, stat):
    if data == b"1":
        changed.set()


print("ready", flush=True)
assert lost.wait(120), "the session was not lost"
began = time.monotonic()
assert connected.wait(60), "no server was found again"
assert zk.exists("/held") is None, "the node of the session that ended is there"
zk.create("/held", b"after", ephemeral=True)
assert zk.get("/watched")[0] == b"0"
zk.set("/watched", b"1")
assert changed.wait(20), "the watch did not tell"
assert zk.get_children("/app"), "what was imported is not there"
print("again %.1f" % (time.monotonic() - began), flush=True)
zk.stop()

"""A client of kazoo that reads at a server without a quorum, is refused what it writes, and writes once it may. Prints what it
saw, one line each.

    read_only_kazoo.py HOST:PORT,...
"""
import logging
import sys
import time

from kazoo.client import KazooClient
from kazoo.exceptions import NotReadOnlyCallError
from kazoo.protocol.states import KeeperState

logging.basicConfig(level=logging.CRITICAL)
client = KazooClient(sys.argv[1], read_only=True, timeout=10)
client.start(30)
print("state", client.client_state == KeeperState.CONNECTED_RO)
print("read", client.exists("/kept") is not None)
try:
    client.create("/by-kazoo")
    print("write done")
except NotReadOnlyCallError:
    print("write refused")
deadline = time.time() + 45
while time.time() < deadline and client.client_state != KeeperState.CONNECTED:
    time.sleep(0.05)
print("then", client.client_state == KeeperState.CONNECTED)
print(client.retry(client.create, "/by-kazoo"))
client.stop()
client.close()

"""
For pytest beside kazoo's own tests (`-p kazoo_refusals`), with servers of ours and Apache's alike: a login by SASL begins only after
KazooClient.start() has seen the connection.

kazoo's thread says "connected" before it logs in. start(), woken by that, asks whether it is connected still; where the refusal was
quicker than its waking, it raises a timeout at once and the refusal is never told: test_invalid_sasl_auth then fails by the order in which
two threads of the client were run, whatever the server did.
"""
import threading

from kazoo.client import KazooClient
from kazoo.protocol.connection import ConnectionHandler

PATIENCE_S = 30

seen_by_start = KazooClient.connected
log_in = ConnectionHandler._authenticate_with_sasl


def connected(self):
    state = seen_by_start.fget(self)
    if state:
        self.__dict__.setdefault("_seen_connected", threading.Event()).set()
    return state


def log_in_once_seen(self, host, timeout):
    # whoever uses start_async() alone may never ask
    self.client.__dict__.setdefault("_seen_connected", threading.Event()).wait(PATIENCE_S)
    return log_in(self, host, timeout)


KazooClient.connected = property(connected)
ConnectionHandler._authenticate_with_sasl = log_in_once_seen

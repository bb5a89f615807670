"""kazoo by TLS: tls_kazoo.py HOSTS CA CERT KEY ID [none]. ID is what the server must take the certificate for; `none`: it is to be refused."""
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.security import make_acl

hosts, ca, cert, key, identity = sys.argv[1:6]
client = KazooClient(hosts, use_ssl=True, ca=ca, certfile=cert, keyfile=key, timeout=30)
if sys.argv[6:] == ["none"]:
    try:
        client.start(4)
        raise SystemExit("a certificate that does not count was taken")
    except KazooTimeoutError:
        pass
    print("kazoo: refused")
    raise SystemExit(0)
client.start(60)
path = "/kazoo-tls"
if client.exists(path):
    client.delete(path)
client.create(path, b"x", acl=[make_acl("auth", "", all=True)])
acls, _ = client.get_acls(path)
assert [(each.id.scheme, each.id.id, each.perms) for each in acls] == [("x509", identity, 31)], acls
client.set(path, b"y" * 500000)
assert client.get(path)[0] == b"y" * 500000
client.set_acls(path, [make_acl("x509", "CN=somebody else", all=True)])
try:
    client.get(path)
    raise SystemExit("a node of somebody else's is read")
except NoAuthError:
    pass
client.stop()
print("kazoo: 4 checks passed")

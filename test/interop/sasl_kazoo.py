"""kazoo logs in by SASL DIGEST-MD5 where that is compulsory: sasl_kazoo.py HOSTS. Users: bob, bobsecret."""
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError, NoNodeError
from kazoo.security import make_acl

hosts = sys.argv[1]


def client(user, password):
    options = {"mechanism": "DIGEST-MD5", "username": user, "password": password}
    return KazooClient(hosts, sasl_options=options, timeout=30)


bob = client("bob", "bobsecret")
bob.start(60)
if not bob.exists("/kazoo-sasl"):
    bob.create("/kazoo-sasl", b"x", acl=[make_acl("sasl", "bob", all=True)])
assert bob.get("/kazoo-sasl")[0] == b"x"
bob.stop()

ann = client("ann", "annsecret")
ann.start(60)
try:
    ann.get("/kazoo-sasl")
    raise SystemExit("ann reads what is bob's")
except NoAuthError:
    pass
ann.stop()

# kazoo may believe itself connected before the answer comes: what counts is that nothing is read
eve = client("bob", "wrong")
try:
    eve.start(10)
    eve.get_async("/kazoo-sasl").get(timeout=10)
    raise SystemExit("a wrong password was taken")
except Exception as error:
    assert not isinstance(error, NoNodeError), error
print("kazoo: 4 checks passed")

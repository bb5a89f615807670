"""Everything that an audit log notes, and what it does not, done to one server: audit_kazoo.py HOSTS. Says each session's
number and name as it begins, so that who compares two servers can tell one from the other."""
import sys
from collections import namedtuple

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.protocol.serialization import int_struct, long_struct, read_string, write_buffer, write_string
from kazoo.security import OPEN_ACL_UNSAFE, make_acl, make_digest_acl

hosts = sys.argv[1]


class Made(namedtuple("Made", "path flags ttl type")):
    """create with one of the newer opcodes: 15 create2, 19 a container, 21 with a time to live."""

    def serialize(self):
        data = bytearray(write_string(self.path)) + write_buffer(b"SECRET-DATA") + int_struct.pack(1)
        data += int_struct.pack(31) + write_string("world") + write_string("anyone") + int_struct.pack(self.flags)
        return data + long_struct.pack(self.ttl) if self.type == 21 else data

    @classmethod
    def deserialize(cls, bytes, offset):
        return read_string(bytes, offset)[0]


def make(client, path, flags=0, ttl=0, type=15):
    result = client.handler.async_result()
    client._call(Made(path, flags, ttl, type), result)
    return result.get(60)


def session(name):
    client = KazooClient(hosts, timeout=30)
    client.start(60)
    print("session 0x%x %s" % (client.client_id[0], name), flush=True)
    return client


def refused(call, *args, **named):
    try:
        call(*args, **named)
    except KazooException:
        return
    raise SystemExit("not refused: %s %s" % (call, args))


one, two = session("one"), session("two")
one.create("/a", b"SECRET-DATA")
refused(one.create, "/a", b"SECRET-DATA")
refused(one.create, "/none/x")
one.create("/a/seq-", b"", sequence=True)
one.create("/a/eph", b"", ephemeral=True)
one.create("/a/es-", b"", ephemeral=True, sequence=True)
refused(one.create, "/a/eph/child")
refused(one.create, "/a/f-", sequence=True, acl=[make_acl("nosuch", "x", all=True)])
make(one, "/made")
make(one, "/box", 4, 0, 19)
refused(make, one, "/box", 4, 0, 19)
make(one, "/timed", 5, 3600000, 21)
make(one, "/timed-", 6, 3600000, 21)
refused(make, one, "/timed", 5, 3600000, 21)
refused(make, one, "/wrong", 5, -5, 21)
one.set("/a", b"SECRET-DATA")
refused(one.set, "/a", b"SECRET-DATA", version=77)
refused(one.set, "/none", b"")
one.create("/a/gone")
refused(one.delete, "/a")
one.delete("/a/gone")
refused(one.delete, "/a/gone")
# reads are of no interest
one.get("/a"), one.exists("/a"), one.get_children("/a"), one.get_acls("/a"), one.sync("/a")
one.create("/acl")
two.add_auth("digest", "bob:SECRET-WORD")
two.add_auth("digest", "ann:other")
two.set_acls("/acl", [make_digest_acl("bob", "SECRET-WORD", read=True, admin=True), make_acl("ip", "127.0.0.1", read=True)])
refused(one.set_acls, "/acl", OPEN_ACL_UNSAFE)
refused(one.set_acls, "/none", OPEN_ACL_UNSAFE)
two.set_acls("/acl", [make_acl("auth", "", all=True)])
two.set_acls("/acl", OPEN_ACL_UNSAFE)
refused(one.get, "/none")
several = one.transaction()
several.create("/m", b"SECRET-DATA")
several.create("/m/seq-", b"", sequence=True)
several.create("/m/eph", b"", ephemeral=True)
several.check("/a", version=-1)
several.set_data("/m", b"SECRET-DATA")
several.delete("/m/eph")
print("multi", several.commit()[0], flush=True)
several = one.transaction()
several.set_data("/m", b"")
several.create("/m")
several.delete("/none")
print("multi", type(several.commit()[1]).__name__, flush=True)
several = one.transaction()
several.check("/none", version=1)
several.commit()
several = one.transaction()
several.check("/a", version=-1)
several.commit()
two.add_auth("digest", "super:adminpass")
two.create("/of-super")
gone = session("gone")
gone.create("/g1", b"", ephemeral=True)
gone.create("/g2", b"", ephemeral=True)
gone.stop()
one.stop()
two.stop()
print("done", flush=True)

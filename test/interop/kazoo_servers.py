"""Servers as kazoo's own tests start them, `java ... QuorumPeerMain zoo.cfg`: Apache's, or ours behind a stand-in for java."""
import os
import shutil
import socket

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLASSES = "/usr/share/java/zookeeper.jar:/usr/share/java/*"
# It takes the words -D and the file, and becomes `zoosh start server`; every start is a line of $ZOOSH_STARTED.
STAND_IN = r"""#!/bin/sh
words= config=
for word; do
  case $word in
    -Dzookeeper.log.dir=* | -Dfile.encoding=* | -Djava.awt.* | -Dlog4j.*) ;;
    -D*) words="$words $word" ;;
    *zoo.cfg) config=$word ;;
  esac
done
echo "$config" >>"$ZOOSH_STARTED"
exec {node} {root}/bin/zoosh.js start server --config "$config" $words
"""
FOREIGN = ("TRAVIS", "KRB5", "ZOO", "ZK_", "JVMFLAGS", "SERVER_JVMFLAGS", "JAVA_OPTS", "PYTEST", "JAVA_TOOL_OPTIONS")


def surroundings(kind, folder):
    """The variables under which `java` is an Apache's server or, if kind is "ours", one of ours. FOLDER: a new one."""
    os.makedirs(os.path.join(folder, "tmp"))
    started = os.path.join(folder, "started")
    open(started, "w").close()
    env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    env.update(
        TMPDIR=os.path.join(folder, "tmp"),
        JDK_JAVA_OPTIONS="-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        ZOOSH_STARTED=started,
    )
    if kind == "ours":
        stand_in = os.path.join(folder, "bin", "java")
        os.mkdir(os.path.dirname(stand_in))
        with open(stand_in, "w") as script:
            script.write(STAND_IN.replace("{root}", ROOT).replace("{node}", shutil.which("node")))
        os.chmod(stand_in, 0o755)
        env["PATH"] = os.path.dirname(stand_in) + os.pathsep + env["PATH"]
    return env


def of_ours(folder):
    """How many servers of ours were started under the variables of that folder."""
    with open(os.path.join(folder, "started")) as started:
        return len(set(started))


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def free_ports(size, taken):
    """The first of the ports kazoo takes, four a server and ten apart, below those that the system hands out."""
    for first in range(20000 + os.getpid() % 90 * 100, 32000, 100):
        ports = [first + 10 * server + port for server in range(size) for port in range(4)]
        if first not in taken and all(map(is_free, ports)):
            taken.add(first)
            return first
    raise SystemExit("no free ports")

"""
Programs on other clients, once against servers of ours and once against Apache's, one and three: each must say the same.
The C client (cli_mt and load_gen of zookeeper-bin, and classic.c on libzookeeper-mt-dev), and `zookeeper` and
`node-zookeeper-client` from npm, which are installed into the scratch folder; what cannot be installed is a failure.

    foreign_clients.py FOLDER      FOLDER: a scratch folder
"""
import os
import re
import subprocess
import sys
import threading

from kazoo.client import KazooClient
from kazoo.testing.common import ZookeeperCluster
from kazoo_servers import CLASSES, free_ports, of_ours, surroundings

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign")
CLI = [
    "create /cli", "create2 /cli/two", "create /cli", "ls /", "ls2 /cli", "get /cli", "set /cli hello", "get /cli", "get /none",
    "sync /cli", "delete /cli", "delete /cli/two", "delete /cli",
]
# What is another in every run: times, ids, ports, and the lines of the client's log about them.
VARYING = [
    (r"(?m)^.*(ZOO_INFO|ZOO_WARN|ZOO_DEBUG)@(?!main|doCreateNodes|recursiveDelete).*\n", ""),
    (r"(?m)^[-\d]+ [\d:,]+:\d+\(0x[0-9a-f]+\):", ""),
    (r"(?m)^(\s*(ctime|mtime|czxid|mzxid|pzxid|Watcher|Got a new session id|ephemeralOwner).*|.*time = \d+ msec.*|.*milli.*)$", "~"),
    (r"0x[0-9a-f]+", "0x"),
]


def ended(words, **more):
    end = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, **more)
    text = end.stdout.decode(errors="replace")
    if end.returncode != 0:
        raise SystemExit("FAIL foreign_clients: %s ended with %s:\n%s" % (" ".join(words), end.returncode, text[-3000:]))
    return text


def steady(text):
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    return text.strip()


def cycles(hosts):
    """load_gen goes round until it is ended: what it says until the second round begins."""
    words = ["/usr/lib/zookeeper/bin/load_gen", hosts, "/load", "50"]
    load = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    clock = threading.Timer(300, load.kill)
    clock.start()
    text = ""
    try:
        for line in load.stdout:
            if "Creating children" in line and "Creating children" in text:
                return text
            text += line
    finally:
        clock.cancel()
        load.kill()
        load.wait()
    raise SystemExit("FAIL foreign_clients: load_gen did not come round: %s" % text[-3000:])


def programs(folder):
    """Name and words of each, the servers to be added."""
    ended(["gcc", "-DTHREADED", "-Wall", "-o", os.path.join(folder, "classic"), os.path.join(HERE, "classic.c"), "-lzookeeper_mt", "-lpthread"])
    with open(os.path.join(folder, "package.json"), "w") as package:
        package.write('{"private":true}')
    nodedir = {"npm_config_nodedir": "/usr"} if os.path.exists("/usr/include/node/node.h") else {}
    npm = ["npm", "install", "--save-exact", "--no-audit", "--no-fund", "zookeeper@7.3.0", "node-zookeeper-client@1.1.3"]
    ended(npm, cwd=folder, env=dict(os.environ, npm_config_ignore_scripts="false", **nodedir))
    out = [("C program", [os.path.join(folder, "classic")])]
    for name in ("native.cjs", "pure.cjs"):
        out.append((name, ["node", os.path.join(HERE, name), folder]))
    return out


def caught_up(hosts):
    """Every server serves and has all that was written: the next program may come to another than the one before."""
    for host in hosts.split(","):
        client = KazooClient(host, timeout=30)
        client.start(120)
        client.retry(client.sync, "/")
        client.stop()
        client.close()


def said(hosts, own):
    """What each program says on these servers."""
    out = {}

    def run(words):
        caught_up(hosts)
        return ended(words)

    for command in CLI:
        out["cli_mt " + command + " #%d" % len(out)] = run(["/usr/lib/zookeeper/bin/cli_mt", "-h", hosts, "-c", command])
    caught_up(hosts)
    out["load_gen 50"] = cycles(hosts)
    # how much of its second round was done when it was ended is chance, so what is left is not counted
    cleaned = run(["/usr/lib/zookeeper/bin/load_gen", hosts, "/load", "clean"])
    cleaned = re.sub(r"(?m)^.*Deleting /load.*\n", "", cleaned)
    out["load_gen clean"] = re.sub(r"\(\d+ nodes\)", "(all nodes)", cleaned)
    out["what load_gen leaves"] = run(["/usr/lib/zookeeper/bin/cli_mt", "-h", hosts, "-c", "ls /"])
    for name, words in own:
        out[name] = run([*words, hosts])
    return {name: steady(text.replace(hosts, "HOSTS")) for name, text in out.items()}


def started(kind, size, folder, taken):
    # the path of java is looked up in, and the temporary folder is that of, this process
    env = surroundings(kind, folder)
    os.environ.update(env)
    import tempfile

    tempfile.tempdir = env["TMPDIR"]
    more = ["4lw.commands.whitelist=*", "reconfigEnabled=true"]
    cluster = ZookeeperCluster(None, CLASSES, size, free_ports(size, taken), configuration_entries=more)
    cluster.start()
    return cluster


def main(folder):
    os.makedirs(folder)
    own = programs(folder)
    clean = dict(os.environ)
    taken, wrong, answers = set(), [], {}
    for size in (1, 3):
        for kind in ("ours", "apache"):
            place = os.path.join(folder, "%s-%d" % (kind, size))
            cluster = started(kind, size, place, taken)
            try:
                hosts = ",".join(each.address for each in cluster)
                client = KazooClient(hosts, timeout=30)
                client.start(180)
                client.stop()
                answers[kind] = said(hosts, own)
            finally:
                cluster.terminate()
                os.environ.update(clean)
            if kind == "ours" and of_ours(place) < size:
                wrong.append("%d servers of ours were started" % of_ours(place))
        same = 0
        for name, text in answers["apache"].items():
            if len(text) < 20:
                wrong.append("%d: %s: says too little: %s" % (size, name, text))
            elif answers["ours"][name] == text:
                same += 1
            else:
                wrong.append("%d servers: %s:\nours: %s\nApache's: %s" % (size, name, answers["ours"][name], text))
        print("%d server%s: %d of %d programs say the same" % (size, "" if size == 1 else "s", same, len(answers["apache"])), flush=True)
    for each in wrong:
        print("FAIL foreign_clients: %s" % each, file=sys.stderr)
    sys.exit(1 if wrong else 0)


main(sys.argv[1])

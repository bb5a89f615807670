"""Every reply to a write must follow the completed synchronous write that covers it. Traced with strace; without the
sync the same check must fail, or it checks nothing."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from kazoo.client import KazooClient

MARK = b"traced-value-"
WRITES = 40


def run(force_sync):
    """Returns (replies seen, replies that came before their data was on the disk)."""
    work = tempfile.mkdtemp(prefix="zoosh-traced-")
    trace = os.path.join(work, "trace")
    server = subprocess.Popen(
        ["strace", "-f", "-tt", "-y", "-s", "4096", "-e", "trace=openat,pwrite64,write,writev,sendto,sendmsg,fdatasync", "-o", trace,
         "node", "bin/zoosh.js", "start", "standalone", "--port", "0", "--data", os.path.join(work, "data"), "--set", "forceSync=" + force_sync],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = server.stdout.readline().strip().rsplit(":", 1)[1]
        client = KazooClient("127.0.0.1:" + port, timeout=30)
        client.start(60)
        for i in range(WRITES):
            client.create("/traced-node-%04d" % i, MARK + b"%04d" % i)
        client.stop()
    finally:
        for pid in subprocess.run(["ps", "-o", "pid=", "--ppid", str(server.pid)], capture_output=True, text=True).stdout.split():
            os.kill(int(pid), signal.SIGTERM)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
    with open(trace, errors="replace") as f:
        lines = f.read().splitlines()
    shutil.rmtree(work, ignore_errors=True)
    dsync, started, durable, replies, early = set(), {}, set(), 0, 0
    for line in lines:
        pid, _, rest = line.partition(" ")
        opened = re.search(r'openat\(.*"([^"]*/log\.[^"]*)", ([A-Z_|]+).*= (\d+)', rest)
        if opened and "O_DSYNC" in opened.group(2):
            dsync.add(opened.group(1))
        write = re.search(r"pwrite64\((\d+)<([^>]*/log\.[^>]*)>, (.*)", rest)
        if write:
            names = set(re.findall(r"traced-node-\d{4}", write.group(3))) if write.group(2) in dsync else set()
            if "unfinished" in rest:
                started[pid] = names
            else:
                durable |= names
        elif "pwrite64 resumed" in rest:
            durable |= started.pop(pid, set())
        elif re.search(r"(write|writev|sendto|sendmsg)\(\d+<(TCP|socket)", rest):
            for name in re.findall(r"traced-node-\d{4}", rest):
                replies += 1
                if name not in durable:
                    early += 1
    return replies, early


replies, early = run("yes")
if replies != WRITES or early:
    sys.exit("FAIL traced: %d of %d replies seen, %d before their write was on the disk" % (replies, WRITES, early))
unsafe, before = run("no")
if unsafe != WRITES or before == 0:
    sys.exit("FAIL traced: without the sync the check must fail, and it did not (%d replies, %d early)" % (unsafe, before))
print("traced: %d replies, 0 before their write; without sync %d of %d early" % (replies, before, unsafe))

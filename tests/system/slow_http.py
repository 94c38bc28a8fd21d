#!/usr/bin/env python3
"""Lets slowhttptest attack a server with slow heads, slow bodies and slow reading; fails unless all of it is over in time.

usage: slow_http.py THICKET [--connections N]
"""

import argparse
import re
import subprocess
import sys
import time

from houses import PREFIX
from process import Process
from raw_client import allow_files, sockets_of

TIMEOUT_S = 3
LATENESS_MAX_S = 2
RATE = 1000
# What slowhttptest is told for each kind; what it reads slowly is a list of models.
ATTACKS = {
    "slow heads": ["-H", "-u", "{url}/ping"],
    "slow bodies": ["-B", "-s", "100000", "-u", "{url}/ping"],
    "slow reading": ["-X", "-n", "1", "-z", "1", "-w", "1", "-y", "32", "-u", "{url}/models"],
}


def attack(server, options, connections):
    """Returns how many seconds after its height the server was rid of the attack, if it ever was, and whether it answered meanwhile."""
    length_s = connections // RATE + 3 * TIMEOUT_S
    command = ["slowhttptest", "-c", str(connections), "-r", str(RATE), "-i", "1", "-p", "1", "-l", str(length_s), "-v", "1"]
    before, rid_s = sockets_of(server.pid), None
    with subprocess.Popen([*command, *(option.format(url=server.url) for option in options)], stdout=subprocess.PIPE, text=True) as process:
        await_sockets(server, lambda count: count > before + 0.9 * connections)
        start = time.monotonic()
        if await_sockets(server, lambda count: count <= before):
            rid_s = time.monotonic() - start
        words = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", process.communicate()[0])
    is_available = set(re.findall(r"service available:\s+(\w+)", words)) == {"YES"}
    return rid_s, is_available, is_available and rid_s is not None and rid_s < TIMEOUT_S + LATENESS_MAX_S


def await_sockets(server, is_enough):
    """Whether a server soon has as many sockets open as `is_enough` says."""
    deadline = time.monotonic() + 4 * TIMEOUT_S
    while not is_enough(sockets_of(server.pid)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("thicket")
    parser.add_argument("--connections", type=int, default=1000)
    arguments = parser.parse_args()
    allow_files(2 * arguments.connections)
    limits = [word for part in ("head", "body", "write", "idle") for word in (f"--{part}-timeout", str(TIMEOUT_S))]
    command = [arguments.thicket, "serve", "--host", "127.0.0.1", "--port", "0", "--models", PREFIX, *limits]
    server = Process(command, r"listening on (\S+)")
    failed = False
    for name, options in ATTACKS.items():
        rid_s, is_available, is_fine = attack(server, options, arguments.connections)
        failed |= not is_fine
        print(f"{name}: {arguments.connections} connections, gone after {rid_s} s; the server answered: {is_available}")
    failed |= server.stop() != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

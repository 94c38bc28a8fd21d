#!/usr/bin/env python3
"""Counts how many models AWS's stack holds in the memory that `thicket-bench density` gives thicket.

usage: density.py [--limit BYTES] [--folder DIR] [--out DIR]

Loads city models under one name after the other into a server in a memory cgroup, until one is refused or does not answer.
The stack is installed in the folder (target/rivals) the first time. The count goes to capacity-AWS.json.
"""

import argparse
import contextlib
import json
import os
import shlex
import sys
import time
from pathlib import Path

import houses
import servers
from compare import processor
from group import Group
from rivals import ROOT, Folder, Unavailable, say


def fill(server):
    """Loads models for as long as all that are loaded answer; returns how many did, and what ended it."""
    names = houses.names()
    for count, name in enumerate(names):
        try:
            server.load(name)
            for loaded in names[: count + 1]:
                server.check(loaded)
        except Unavailable as error:
            return count, str(error).splitlines()[0][:120]
        except OSError:
            return count, "the server broke the connection"
        say(f"{count + 1} models")
    return len(names), "no more models"


def measure(folder, limit_bytes):
    with Group(limit_bytes) as group, contextlib.ExitStack() as stack:
        server = servers.aws(folder, {"SERVER_LAUNCHER": shlex.join(group.entering)})
        stack.callback(server.stop)
        models, end = fill(server)
        return {"limit_bytes": limit_bytes, "models": models, "end": f"{end} ({group.kills()} killed by the kernel)"}


def main():
    release = ROOT / "target" / "release"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=512 << 20)
    parser.add_argument("--folder", type=Path, default=ROOT / "target" / "rivals")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "density")
    chosen = parser.parse_args()
    for path in (chosen.folder, chosen.out):
        path.mkdir(parents=True, exist_ok=True)
    results = measure(Folder(chosen.folder, release / "thicket", release / "thicket-bench"), chosen.limit)
    circumstances = {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": processor(),
        "processors": os.cpu_count(),
    }
    outcome = {"kind": "capacity", "name": "AWS", "circumstances": circumstances, "results": results}
    (chosen.out / "capacity-AWS.json").write_text(json.dumps(outcome, indent=2) + "\n")
    print(f"AWS's stack: {results['models']} models in {chosen.limit >> 20} MiB, then: {results['end']}")


if __name__ == "__main__":
    main()

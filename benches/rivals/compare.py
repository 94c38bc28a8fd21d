#!/usr/bin/env python3
"""Measures thicket and its rivals side by side in one run and prints one table of ratios.

usage: compare.py [kernels] [csv] [conversion] [http] [cold] [memory] [--quick] [--thicket FILE] [--bench FILE] [--folder DIR]

Without a part all are run. Rivals are installed in the folder (target/rivals) the first time; one that cannot be
installed is listed with the reason. The figures go to results.json and results.md there. Compare the ratios, not the
times of different runs.
"""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

import table
from parts import cold, conversion, http, kernels, memory, texts
from parts.outcome import Outcome
from rivals import ROOT, Folder, Unavailable, say

PARTS = {"kernels": kernels, "csv": texts, "conversion": conversion, "http": http, "cold": cold, "memory": memory}


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def circumstances():
    """Returns when, where and how, in one line."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"{time.strftime('%Y-%m-%d')}, {processor()}, {cores} cores (load {load:.1f} at the end), `{command}`"


def measured(name, folder, quick):
    """Runs a part; one that cannot begin is reported as such, and the others go on."""
    began = time.monotonic()
    try:
        outcome = PARTS[name].measure(folder, quick)
    except Unavailable as error:
        outcome = Outcome(name, missing={"all": str(error)})
    say(f"{name}: {time.monotonic() - began:.0f} s")
    return outcome


def arguments():
    target = ROOT / "target"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few models and one round")
    parser.add_argument("--thicket", type=Path, default=target / "dist" / "thicket")
    parser.add_argument("--bench", type=Path, default=target / "release" / "thicket-bench")
    parser.add_argument("--folder", type=Path, default=target / "rivals")
    return parser.parse_args()


def main():
    chosen = arguments()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    folder = Folder(chosen.folder, chosen.thicket, chosen.bench)
    names = chosen.parts or list(PARTS)
    outcomes = [measured(name, folder, chosen.quick) for name in names]
    text = table.document(circumstances(), outcomes)
    (folder.path / "results.md").write_text(text)
    figures = {"circumstances": circumstances(), "parts": dict(zip(names, map(asdict, outcomes), strict=True))}
    (folder.path / "results.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()

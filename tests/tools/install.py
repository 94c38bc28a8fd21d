#!/usr/bin/env python3
"""Installs the outside programs that the tests run, into .tools/ at the root of the repository.

usage: install.py

Does nothing for a program that is there in the right version.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"

# name, version, features
PROGRAMS = (("s3s-fs", "0.14.1", "binary"),)


def installed(name):
    """Returns what the installed program says its version is; nothing if there is none that runs."""
    try:
        answer = subprocess.run([str(TOOLS / "bin" / name), "--version"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return answer.stdout.strip()


def install(name, version, features):
    if installed(name) == f"{name} {version}":
        return
    print(f"installing {name} {version} into {TOOLS}", file=sys.stderr)
    crate = [name, "--version", version, "--features", features, "--locked", "--force"]
    subprocess.run(["cargo", "install", *crate, "--root", str(TOOLS)], check=True)


def main():
    for program in PROGRAMS:
        install(*program)


if __name__ == "__main__":
    main()

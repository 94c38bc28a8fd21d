#!/usr/bin/env python3
"""Installs the outside programs that the tests run: into .tools/ at the root of the repository, and strace and a headless
Chromium into the system.

usage: install.py [PACKAGE...]

The packages named are taken from the system's too.

Does nothing for a program that is there in the right version.
"""

import os
import shutil
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


def install_package(name):
    """Takes a program from the system's packages, where it is missing and that is allowed."""
    if shutil.which(name) or not shutil.which("apt-get") or os.geteuid() != 0:
        return
    print(f"installing {name}", file=sys.stderr)
    subprocess.run(["apt-get", "update", "--quiet", "--quiet"], check=True)
    subprocess.run(["apt-get", "install", "--yes", "--quiet", "--quiet", "--no-install-recommends", name], check=True)


def main():
    for program in PROGRAMS:
        install(*program)
    for package in ("strace", "chromium-headless-shell", *sys.argv[1:]):
        install_package(package)


if __name__ == "__main__":
    main()

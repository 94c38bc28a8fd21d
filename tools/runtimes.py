#!/usr/bin/env python3
"""Brings the shared libraries that some models need into a folder: ONNX Runtime's and XGBoost's, from their wheels.

    python3 tools/runtimes.py [--machine x86_64|aarch64] [FOLDER]

FOLDER is `runtimes` beside this script's parent unless given. Needs Python 3.8 and pip, nothing else. What is there
already is left alone; a wheel whose SHA-256 is not the one written here is refused.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ORT = ("onnxruntime", "1.23.2")
XGB = ("xgboost-cpu", "3.0.5")

# Raised when the same wheels are to be laid out differently.
LAYOUT = 1

# Machine, package and version to the wheel's SHA-256.
PINS = {
    "x86_64": {
        ORT: "da44b99206e77734c5819aa2142c69e64f3b46edc3bd314f6a45a932defc0b3e",
        XGB: "ed5c141b88e53777b9bf8786881fd6e2e9032837c7e349052ab40363a14ac708",
    },
    "aarch64": {
        ORT: "bbfd2fca76c855317568c1b36a885ddea2272c13cb0e395002c402f2360429a6",
        XGB: "9495654dc19b2bbf7f18328566adce2d3504dabf998f1185fac16ba6125d3fcb",
    },
}

# What is taken from a wheel: a pattern of paths in it, and the path in the folder ({} is the pattern's group).
TAKEN = {
    "onnxruntime": [
        (r"onnxruntime/capi/libonnxruntime\.so(\.[0-9.]+)", "libonnxruntime.so"),
        (r"onnxruntime/(LICENSE|ThirdPartyNotices\.txt)", "licenses/onnxruntime/{}"),
    ],
    "xgboost-cpu": [
        (r"xgboost_cpu\.libs/(libgomp-[0-9a-f]+\.so\.[0-9.]+)", "{}"),
        (r"xgboost/lib/(libxgboost\.so)", "{}"),
        (r"xgboost_cpu-[^/]+\.dist-info/(METADATA)", "licenses/xgboost/{}"),
    ],
}

# The wheel keeps its libgomp two folders away; here it lies beside the library.
RPATH_THERE = b"$ORIGIN/../../xgboost_cpu.libs\0"
RPATH_HERE = b"$ORIGIN\0"

NOTICE = """\
libxgboost.so is part of XGBoost, Copyright the XGBoost contributors, licensed under the Apache License, Version 2.0
(METADATA beside this file); its library search path was set to its own folder. The library libgomp that lies beside it
is part of GCC, licensed under the GNU General Public License, version 3 or later, with the GCC Runtime Library
Exception, version 3.1.
"""


def main():
    options = arguments()
    folder, pins = options.folder.resolve(), PINS[options.machine]
    stamp = {"layout": LAYOUT, "machine": options.machine, "wheels": {f"{n}=={v}": h for (n, v), h in pins.items()}}
    before = read_stamp(folder)
    if {**before, "files": None} == {**stamp, "files": None} and all(
        is_whole(folder / name, digest) for name, digest in before["files"].items()
    ):
        print(f"runtimes: up to date in {folder}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as aside:
        files = {}
        for (package, version), digest in pins.items():
            print(f"runtimes: {package} {version} for {options.machine}", flush=True)
            wheel = download(package, version, options.machine, Path(aside))
            check(f"{package} {version}", wheel, digest)
            files.update(extract(package, wheel))
        files["licenses/xgboost/NOTICE"] = NOTICE.encode()
        stamp["files"] = {name: sha256(content) for name, content in files.items()}
        # The stamp comes last, so that a run that was cut short is done again.
        files["pins.json"] = json.dumps(stamp, indent=1).encode() + b"\n"
        install(folder, Path(aside), files)
    for name in before.get("files", {}).keys() - files.keys():
        (folder / name).unlink(missing_ok=True)
    print(f"runtimes: ready in {folder}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machine", choices=sorted(PINS), default=platform.machine())
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent / "runtimes")
    options = parser.parse_args()
    if options.machine not in PINS:
        sys.exit(f"runtimes: no wheels are pinned for {options.machine}, only for {' and '.join(sorted(PINS))}")
    return options


def read_stamp(folder):
    try:
        stamp = json.loads((folder / "pins.json").read_bytes())
        return stamp if isinstance(stamp.get("files"), dict) else {}
    except (OSError, ValueError, AttributeError):
        return {}


def download(package, version, machine, aside):
    """Asks pip for the wheel of CPython 3.11, whatever Python runs this: the library inside does not depend on it."""
    target = aside / package
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11"]
    command += ["--abi", "cp311", "--platform", f"manylinux_2_28_{machine}", "--dest", str(target)]
    done = subprocess.run([*command, f"{package}=={version}"], capture_output=True, text=True, check=False)
    wheels = list(target.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        # Where pip looked is a matter of the machine's set-up and may hold a password.
        said = re.sub(r"\S*://\S+|host='[^']*'", "(index)", done.stderr or done.stdout).strip()
        sys.exit(f"runtimes: pip did not get {package} {version}:\n{said}")
    return wheels[0]


def check(what, wheel, expected):
    found = sha256(wheel.read_bytes())
    if found != expected:
        sys.exit(f"runtimes: {what}: {wheel.name} has SHA-256 {found}, expected {expected}; nothing was changed")


def extract(package, wheel):
    """The files to install from one wheel, by their path in the folder: exactly what TAKEN names, each present."""
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for pattern, name in TAKEN[package]:
            found = [match for entry in archive.namelist() if (match := re.fullmatch(pattern, entry))]
            if not found:
                sys.exit(f"runtimes: {wheel.name} has no file like {pattern}")
            for match in found:
                files[name.format(match[1])] = archive.read(match[0])
    if package == "xgboost-cpu":
        files["libxgboost.so"] = beside(files["libxgboost.so"])
    return files


def beside(library):
    """The library with a search path that is its own folder: a shorter string in the place of the old one."""
    if library.count(RPATH_THERE) != 1:
        sys.exit(f"runtimes: libxgboost.so does not have the one search path {RPATH_THERE[:-1].decode()}")
    return library.replace(RPATH_THERE, RPATH_HERE.ljust(len(RPATH_THERE), b"\0"))


def install(folder, aside, files):
    """Puts each file in its place by one rename: a process that has the old one open keeps it."""
    for name, content in files.items():
        whole, place = aside / "whole", folder / name
        whole.write_bytes(content)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(whole, place)


def is_whole(path, digest):
    try:
        return sha256(path.read_bytes()) == digest
    except OSError:
        return False


def sha256(content):
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()

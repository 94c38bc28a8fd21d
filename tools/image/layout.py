#!/usr/bin/env python3
"""Lays out what thicket's image holds beyond its base, as a folder that is copied onto the image's root.

    python3 tools/image/layout.py BINARY RUNTIMES FOLDER

BINARY is the built server, RUNTIMES what tools/runtimes.py made; FOLDER is made and must not exist.
"""

import argparse
import os
import shutil
import subprocess
from pathlib import Path

LICENSE = Path(__file__).resolve().parents[2] / "LICENSE"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("binary", "runtimes", "folder"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    lay_out(options.binary, options.runtimes, options.folder)


def lay_out(binary, runtimes, folder):
    # The image is for every user, whatever the mask of the one who builds it.
    os.umask(0o022)
    folder.mkdir(parents=True)
    program = install(binary, folder / "usr/local/bin/thicket", 0o755)
    # Function names stay for backtraces; line tables are half of the binary.
    subprocess.run(["strip", "--strip-debug", str(program)], check=True)
    for library in sorted(runtimes.glob("*.so*")):
        install(library, folder / "usr/local/lib/thicket" / library.name, 0o644)
    documents = folder / "usr/local/share/doc/thicket"
    install(LICENSE, documents / "LICENSE", 0o644)
    for license in sorted(path for path in (runtimes / "licenses").rglob("*") if path.is_file()):
        install(license, documents / license.relative_to(runtimes), 0o644)
    # SageMaker unpacks models here and need not be the user that serves them.
    models = folder / "opt/ml/models"
    models.mkdir(parents=True)
    models.chmod(0o777)


def install(source, place, mode):
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
    place.chmod(mode)
    return place


if __name__ == "__main__":
    main()

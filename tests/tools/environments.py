"""Virtual environments for the scripts that need exact versions of Python packages."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

# One thread, so that sums are always taken in the same order.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def export(fixtures, packages):
    """Runs `fixtures`/export.py with `packages`, in an environment in the folder that the first argument names, if any."""
    folder = sys.argv[1] if len(sys.argv) > 1 else None
    with environment(folder, packages, newest=(3, 12)) as python:
        command = [str(python), str(fixtures / "export.py"), str(fixtures)]
        subprocess.run(command, check=True, env={**os.environ, **ONE_THREAD})


@contextmanager
def environment(folder, packages, newest=None):
    """Yields the interpreter of a virtual environment that holds `packages` (pinned requirements).

    `folder` is kept and used again; with None a temporary folder is used and removed at the end. `newest` is
    the highest (major, minor) of Python that the packages run on.
    """
    if folder is not None:
        yield fill(Path(folder).resolve(), packages, newest)
        return
    with tempfile.TemporaryDirectory(prefix="thicket-venv-") as scratch:
        yield fill(Path(scratch), packages, newest)


def fill(folder, packages, newest=None):
    """Makes the environment in `folder` unless it holds exactly `packages` already; returns its interpreter."""
    python = folder / "bin" / "python"
    record = folder / "packages.txt"
    wanted = "\n".join(packages) + "\n"
    if record.exists() and record.read_text() == wanted:
        return python
    subprocess.run([interpreter(newest), "-m", "venv", "--clear", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--prefer-binary"]
    subprocess.run(install + list(packages), check=True)
    record.write_text(wanted)
    return python


def interpreter(newest=None):
    """Returns a Python 3.8 or later, and not later than `newest`: this one, or the newest on the path."""
    if newest is None or sys.version_info[:2] <= newest:
        return sys.executable
    for minor in range(newest[1], 7, -1):
        found = shutil.which(f"python3.{minor}")
        # A version manager's shim may stand on the path for a Python that is not installed.
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    sys.exit(f"these packages need Python 3.8 to {newest[0]}.{newest[1]}; none is on the path")

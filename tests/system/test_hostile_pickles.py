"""Pickles that would run something if they were unpickled: each is refused by name, and nothing is run.

strace watches the program: it may start itself and nothing else, and may not open a socket.
"""

import importlib.util
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "pickles"
SECONDS_MAX = 5


def load_pickles():
    specification = importlib.util.spec_from_file_location("make_pickles", FOLDER / "make.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.PICKLES


PICKLES = load_pickles()


@pytest.fixture(scope="module")
def strace():
    found = shutil.which("strace")
    if not found:
        pytest.fail("strace is missing; install it with: apt-get install strace", pytrace=False)
    return found


@pytest.mark.parametrize("name", sorted(PICKLES))
def test_nothing_is_run(name, strace, binary, tmp_path):
    content, refusal = PICKLES[name]
    artifact, rows, log = tmp_path / "model.pkl", tmp_path / "rows.csv", tmp_path / "strace.log"
    artifact.write_bytes(content)
    rows.write_text("1,2\n")
    watched = [strace, "--follow-forks", "--output", log, "--trace", "execve,execveat,socket,connect"]
    start = time.monotonic()
    command = [*watched, binary, "predict", "--input", rows, artifact]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert time.monotonic() - start < SECONDS_MAX
    assert done.returncode == 1 and refusal in done.stderr, done
    assert "panicked" not in done.stderr
    calls = re.findall(r"^\d+ +(\w+)\((.*)", log.read_text(), re.MULTILINE)
    assert [call for call, _ in calls] == ["execve"] and str(binary) in calls[0][1], calls

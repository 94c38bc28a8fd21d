"""What every system test may ask for: the built server, a real S3 server, the fixtures' folder."""

import os
from pathlib import Path

import pytest

from process import Process
from s3_server import S3Server

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("THICKET_BIN", ROOT / "target" / "release" / "thicket"))


@pytest.fixture(scope="session")
def fixtures():
    """The folder of the committed models, rows and expected answers."""
    return ROOT / "tests" / "fixtures"


@pytest.fixture(scope="session")
def binary():
    """The built `thicket`: THICKET_BIN, or what the release build leaves."""
    if not BINARY.is_file():
        pytest.fail(f"{BINARY} is missing; build it with: cargo build --release -p thicket-server", pytrace=False)
    return BINARY


@pytest.fixture
def server(binary):
    """Starts `thicket serve` on a free port of loopback: `server("--models", uri, environment={...})`.

    At the end of the test each server is asked to stop and has to end, or have ended, with exit code 0, unless
    the test called its `kill()`. The logs are shown when the test fails.
    """
    started = []

    def start(*arguments, environment=None):
        command = [binary, "serve", "--host", "127.0.0.1", "--port", "0", *arguments]
        process = Process(command, r"listening on (http://127\.0\.0\.1:\d+)", environment)
        started.append(process)
        return process

    yield start
    codes = [process.stop() for process in started if not process.killed]
    for process in started:
        print(f"--- log of server {process.pid}\n{process.log()}")
    assert all(code == 0 for code in codes), f"exit codes after SIGTERM: {codes}"


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """A real S3 server, empty at the start of the session; each test uses a bucket of its own."""
    running = S3Server(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()

"""thicket top: printed once, and live in a terminal of its own."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socketserver
import struct
import subprocess
import termios
import threading
import time

import pytest

from houses import HOUSES, PREFIX
from http_client import Client
from process import Process

AWAIT_S = 15
# How long an answer may take.
PATIENCE_S = 5
HOSTILE = "\x1b[2J\x1b]0;owned\x07/model.tar.gz"


def once(binary, url):
    return subprocess.run([binary, "top", "--once", url], capture_output=True, text=True, timeout=20)


def invoke(url, target):
    answer = Client(url).csv("/endpoints/any/invocations", HOUSES[0].rows[0], X_Amzn_SageMaker_Target_Model=target)
    assert answer.status == 200, answer


def test_once_prints_a_plain_picture(server, binary, tmp_path):
    process = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--pin", HOUSES[0].target)
    for house in HOUSES:
        invoke(process.url, house.target)
    done = once(binary, process.url)
    assert done.returncode == 0 and done.stderr == "", done
    assert f"at 127.0.0.1:{process.port}, stand-alone" in done.stdout and "4 models in memory" in done.stdout
    for house in HOUSES:
        line = next(line for line in done.stdout.splitlines() if line.endswith(house.target))
        assert "forest" in line and ("pinned" in line) == (house is HOUSES[0])
    assert "nothing has left memory yet" in done.stdout and "\x1b" not in done.stdout
    # Where nobody looks, a picture is printed without being asked for.
    piped = subprocess.run([binary, "top", process.url], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    assert piped.returncode == 0 and "4 models in memory" in piped.stdout and "\x1b" not in piped.stdout


def test_no_model_drives_the_terminal(server, binary, tmp_path):
    artifact = HOUSES[0].unpack(tmp_path / "artifact")
    process = server("--cache-dir", tmp_path / "cache")
    loaded = Client(process.url)("POST", "/models", {"model_name": HOSTILE, "url": str(artifact)})
    assert loaded.status == 200, loaded
    done = once(binary, process.url)
    assert r"\u{1b}[2J\u{1b}]0;owned\u{7}/model.tar.gz" in done.stdout and "\x1b" not in done.stdout, done


def test_once_says_why_there_is_nothing_to_show(server, binary, tmp_path):
    process = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--console", "off")
    done = once(binary, process.url)
    assert done.returncode == 1 and "answers 404: it shows no console here" in done.stderr, done
    process.stop()
    done = once(binary, process.url)
    assert done.returncode == 1 and f"cannot reach 127.0.0.1:{process.port}" in done.stderr, done
    done = once(binary, "ftp://127.0.0.1")
    assert done.returncode == 2 and "expected an address" in done.stderr, done


class Stranger:
    """A server that says the bytes in `said` to everybody, closes the connection or else stands still; a context."""

    def __init__(self):
        self.said, self.stands_still = b"", False
        self.stood_still, self._ended = threading.Event(), threading.Event()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    self.request.recv(65536)
                    self.request.sendall(outer.said)
                    if outer.stands_still:
                        outer.stood_still.set()
                        outer._ended.wait(AWAIT_S)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


def answer(body, status=b"200 OK", length=None):
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status, length or len(body), body)


def extreme(greatest, least):
    """A state whose numbers are as large and as small as JSON has them, with columns that differ in length."""
    row = {"name": HOSTILE, "bytes": greatest, "runtime": "\x1b[1m", "since": 1e308, "requests": greatest, "popularity": 1e308}
    row |= {"worth": -1e308, "idle_s": -1e308, "is_pinned": False, "is_new": True, "leave_before": greatest}
    left = {"model": "\u202e" * 300, "reason": "\x07", "at": least, "bytes": greatest, "requests": 0, "age_s": 1e308, "idle_s": least}
    rates, counts = [1e308, least, 0.0] * 50, [greatest, 0]
    state = {
        "server": {"version": "\n", "mode": "", "readiness": "\r", "started": 1e308, "now": least, "residency_min_s": 1e308},
        "memory": {"used_bytes": greatest, "limit_bytes": 0, "resident_bytes": greatest},
        "requests": {"in_flight": greatest, "connections": greatest, "hits": greatest, "lookups": 1},
        "counts": {"loads": greatest, "cached_loads": 0, "load_failures": greatest, "left": {"room": greatest, "\x1b": 1}},
        "models": {"total": 0, "rows": [row] * 300},
        "departures": [left] * 300,
        "history": {"success": rates, "client_error": rates[:1], "server_error": [1e308], "lookups": counts, "hits": []},
    }
    state["history"] |= {name: [None, greatest] for name in ("warm_p50_us", "warm_p99_us", "cold_p50_us")} | {"cold_p99_us": []}
    return json.dumps(state).encode()


NO_STATES = {
    b"": "breaks off",
    b"SSH-2.0-OpenSSH_9.6\r\n": "breaks off",
    answer(b'{"server":', length=1000): "breaks off",
    # More than an answer may have.
    answer(b" " * (17 << 20)): "breaks off",
    answer(b"<html>Bad Gateway</html>", b"502 Bad Gateway"): "answers 502",
    answer(b"<html>"): "cannot read the answer",
    answer(b"[" * 100_000): "cannot read the answer",
    answer(b'{"server": 7}'): "cannot read the answer",
    answer(extreme(2**64, 0)): "cannot read the answer",
    answer(extreme(2**64 - 1, 0).replace(b"1e+308", b"1e+309")): "cannot read the answer",
}


def test_once_says_what_is_wrong_with_an_answer(binary):
    with Stranger() as stranger:
        for stranger.said, complaint in NO_STATES.items():
            done = once(binary, stranger.url)
            assert done.returncode == 1 and done.stdout == "", (stranger.said[:100], done)
            assert complaint in done.stderr and "panicked" not in done.stderr, (stranger.said[:100], done)
        for least in (-1e308, 0, 1e-308):
            stranger.said = answer(extreme(2**64 - 1, least))
            done = once(binary, stranger.url)
            assert done.returncode == 0 and done.stderr == "" and "0 models in memory" in done.stdout, done
            assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", done.stdout)


class Screen:
    """`thicket top` in a pseudo-terminal."""

    def __init__(self, binary, url, columns=140, rows=30):
        self.terminal, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._theirs = theirs
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen([binary, "top", url], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        self.seen = b""

    def until(self, pattern):
        """Reads on until what comes matches, and forgets it."""
        end = time.monotonic() + AWAIT_S
        while not (found := re.search(pattern.encode(), self.seen, re.DOTALL)):
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{pattern} has not come; what came is {self.seen[-3000:]!r}"
            self.seen += os.read(self.terminal, 65536)
        self.seen = self.seen[found.end() :]

    def press(self, keys):
        os.write(self.terminal, keys)

    def check_restored(self):
        """Ends with the first screen, a cursor, and the modes that were there before."""
        self.until(r"\x1b\[\?25h\x1b\[\?1049l")
        assert self.process.wait(AWAIT_S) == 0
        assert termios.tcgetattr(self._theirs) == self.before

    def close(self):
        self.process.kill()
        self.process.wait()
        for descriptor in (self.terminal, self._theirs):
            os.close(descriptor)


@pytest.fixture
def screen(binary):
    screens = []

    def start(url, **size):
        screens.append(Screen(binary, url, **size))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()


def test_a_live_picture_follows_the_server_even_when_it_goes_and_comes_back(binary, screen, tmp_path):
    shutil.copytree(PREFIX, tmp_path / "models")

    def serve(port):
        command = [binary, "serve", "--host", "127.0.0.1", "--port", port, "--models", tmp_path / "models"]
        return Process([*command, "--cache-dir", tmp_path / "cache", "--preload", "0"], r"listening on (http://127\.0\.0\.1:\d+)")

    first = serve(0)
    top = screen(first.url, columns=200)
    top.until(r"\x1b\[\?1049h.*no model is in memory.*q.{0,9} quit")
    assert termios.tcgetattr(top._theirs) != top.before
    for house in HOUSES:
        invoke(first.url, house.target)
    names = [re.escape(house.target) for house in HOUSES]
    top.press(b"n")
    top.until(".*".join(["4 models in memory", *names]))
    top.press(b"n")
    top.until(".*".join(["4 models in memory", *reversed(names)]))
    assert first.stop() == 0
    top.until(r"No news for .*cannot reach.*trying again")
    second = serve(first.port)
    top.until(r"\x1b\[H(?!.{0,20}No news)\S*thicket.*up \d\.\d s")
    assert second.stop() == 0
    top.press(b"q")
    top.check_restored()


def test_a_live_picture_outlives_every_answer(screen):
    with Stranger() as stranger:
        top = screen(stranger.url, columns=200)
        top.until("No news for .*breaks off.*trying again.*thicket at")
        stranger.said = answer(b"<html>")
        top.until("No news for .*cannot read the answer.*trying again")
        stranger.said = answer(extreme(2**64 - 1, -1e308))
        top.until(r"\x1b\[H(?!.{0,20}No news)\S*thicket.*0 models in memory.*LEFT .UTC.*q.{0,9} quit")
        stranger.said, stranger.stands_still = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", True
        for end in (lambda top: top.process.send_signal(signal.SIGTERM), lambda top: top.press(b"q")):
            assert stranger.stood_still.wait(AWAIT_S)
            began = time.monotonic()
            end(top)
            top.check_restored()
            assert time.monotonic() - began < PATIENCE_S, "the end was kept waiting"
            stranger.stood_still.clear()
            top = screen(stranger.url)


def test_signals_and_sizes(server, screen, tmp_path):
    url = server("--models", PREFIX, "--cache-dir", tmp_path / "cache").url
    for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        top = screen(url, columns=60, rows=10)
        top.until("Memory")
        top.process.send_signal(ending)
        top.check_restored()
    top = screen(url, columns=60, rows=10)
    top.until("q.{0,9} quit")
    fcntl.ioctl(top._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 3, 20, 0, 0))
    top.process.send_signal(signal.SIGWINCH)
    top.until(r"\x1b\[H[^\n]*thicket[^\n]*\n[^\n]*Memory[^\n]*\n[^\n]*quit[^\n]*\x1b\[J")
    # Control and C is a key here, and ends as well.
    top.press(b"\x03")
    top.check_restored()

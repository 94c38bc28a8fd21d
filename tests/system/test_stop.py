"""SIGTERM: readiness, the lame-duck wait, and clients under load who are all answered or turned away as a whole."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from collections import Counter

from houses import HOUSES, PREFIX
from http_client import Client

ROUNDS = int(os.environ.get("THICKET_STOPS", "20"))
CLIENTS = 8
GRACE_S = 10


def readiness(url):
    answer = Client(url)("GET", "/ready")
    return answer.status, answer.json["status"]


def await_readiness(url, expected, wait_s=20):
    end = time.monotonic() + wait_s
    while (found := readiness(url)) != expected:
        assert time.monotonic() < end, found
        time.sleep(0.01)


def test_a_container_is_ready_at_once_and_its_name_may_be_ready(server, tmp_path):
    url = server("--cache-dir", tmp_path / "cache").url
    await_readiness(url, (200, "Ready"))
    house = HOUSES[0]
    folder = house.unpack(tmp_path / "model")
    assert Client(url)("POST", "/models", {"model_name": "ready", "url": str(folder)}).status == 200
    assert Client(url).csv("/ready/predict", house.rows[0]).json == [house.prices[0]]


def test_a_server_becomes_ready_when_its_source_answers(server, s3, tmp_path):
    client = s3.client()
    arguments = ("--models", "s3://comes-later/houses", "--cache-dir", tmp_path / "cache")
    url = server(*arguments, environment=s3.environment).url
    assert Client(url)("GET", "/ping").status == 200
    assert readiness(url) == (503, "Starting: the source has not answered yet")
    client.create_bucket(Bucket="comes-later")
    await_readiness(url, (200, "Ready"))


def test_a_draining_server_is_unready_and_answers_for_as_long_as_it_was_told(server, tmp_path):
    process = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--drain-wait", "1.5")
    kept = Client(process.url)
    assert kept("GET", "/ping").headers.get("connection") != "close"
    os.kill(process.pid, signal.SIGTERM)
    await_readiness(process.url, (503, "Draining"))
    answer = kept("GET", "/ping")
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    header = {"X_Amzn_SageMaker_Target_Model": HOUSES[0].target}
    answer = Client(process.url).csv("/endpoints/houses/invocations", HOUSES[0].rows[0], **header)
    assert (answer.status, answer.json) == (200, [HOUSES[0].prices[0]])
    assert process.stop() == 0


def test_a_server_whose_source_never_answers_stops_at_once(binary, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:%d" % mute.getsockname()[1],
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
        }
        command = [binary, "serve", "--models", "s3://bucket/prefix", "--port", "0", "--cache-dir", tmp_path / "cache"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        mute.accept()
        started = time.monotonic()
        process.terminate()
        assert process.wait(GRACE_S) == 0
        assert time.monotonic() - started < 2
        process.stdout.close()


HALVES = {
    "the first byte": (b"G", b"ET /ping HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a part of the head": (b"GET /ping HTTP/1.1\r\nHo", b"st: x\r\n\r\n"),
    "all but the head's last byte": (b"GET /ping HTTP/1.1\r\nHost: x\r\n\r", b"\n"),
    "the head": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", b"abc"),
    "a part of the body": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na", b"bc"),
    "a chunk": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", b"0\r\n\r\n"),
}


def test_a_request_that_has_begun_to_arrive_is_answered(server):
    process = server("--workers", "1")
    idle = socket.create_connection(("127.0.0.1", process.port), timeout=GRACE_S)
    halves = [half for half in HALVES.items() for _ in range(2)]
    connections = [socket.create_connection(("127.0.0.1", process.port), timeout=GRACE_S) for _ in halves]
    for connection in connections[::2]:
        # Every other connection has been used before.
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    for connection, (_, (first, _)) in zip(connections, halves):
        connection.sendall(first)
    os.kill(process.pid, signal.SIGTERM)
    assert idle.recv(1) == b"", "an idle connection is closed, and by then every other would be"
    for connection, (name, (_, second)) in zip(connections, halves):
        connection.sendall(second)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and b"connection: close\r\n" in answer, name
        assert connection.recv(1) == b"", name
    assert process.stop() == 0


def test_a_head_that_never_ends_holds_up_no_stop(server):
    process = server("--head-timeout", "0.5")
    connection = socket.create_connection(("127.0.0.1", process.port), timeout=GRACE_S)
    connection.sendall(b"GET /ping HTTP/1.1\r\nHo")
    started = time.monotonic()
    assert process.stop() == 0
    assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 5


class Caller(threading.Thread):
    """Sends requests one after the other until it is turned away, and notes what became of each."""

    def __init__(self, port, chance):
        super().__init__()
        self.port, self.chance, self.outcomes, self.faults = port, chance, Counter(), []
        self.keeps_alive = chance.random() < 0.7

    def run(self):
        connection = None
        while True:
            if connection is None:
                try:
                    connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
                except ConnectionError:
                    self.outcomes["not let in"] += 1
                    return
            request, expected = self.request()
            try:
                connection.sendall(request)
            except ConnectionError:
                self.outcomes["closed before it was sent"] += 1
                connection.close()
                connection = None
                continue
            if not self.await_answer(connection, expected):
                connection.close()
                connection = None

    def request(self):
        """A request and what its body has to be when it is answered."""
        house = self.chance.choice(HOUSES)
        repeats = self.chance.choice((0, 1, 1, 1, 200))
        if repeats == 0:
            return self.written("GET /ping", "", ""), {"status": "Healthy"}
        body = "\n".join(house.rows * repeats)
        target = f"X-Amzn-SageMaker-Target-Model: {house.target}\r\nContent-Type: text/csv\r\n"
        return self.written("POST /endpoints/houses/invocations", target, body), house.prices * repeats

    def written(self, line, headers, body):
        close = "" if self.keeps_alive else "Connection: close\r\n"
        head = f"{line} HTTP/1.1\r\nHost: x\r\n{headers}{close}Content-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()

    def await_answer(self, connection, expected):
        """Takes in one answer; whether another request may follow it."""
        received = b""
        try:
            while not (head := re.match(rb"(?s)HTTP/1\.1 (\d+) .*?\r\n\r\n", received)):
                received += self.some(connection)
            length = int(re.search(rb"(?i)content-length: (\d+)", head[0])[1])
            while len(received) < head.end() + length:
                received += self.some(connection)
        except ConnectionError as error:
            self.outcomes["no answer at all"] += not received
            if received:
                self.faults.append(f"{error!r} after {received[:200]}")
            return False
        answer = (int(head[1]), json.loads(received[head.end() :]))
        self.outcomes["answered"] += 1
        if answer != (200, expected):
            self.faults.append(f"{received[:500]}")
        return not re.search(rb"(?i)connection: close", head[0])

    def some(self, connection):
        received = connection.recv(1 << 20)
        if not received:
            raise ConnectionResetError("closed")
        return received


def test_every_request_is_answered_or_turned_away_when_the_server_is_stopped_under_load(server, tmp_path):
    chance = random.Random(20260601)
    outcomes, longest_s = Counter(), 0
    for number in range(ROUNDS):
        cache = tmp_path / f"cache-{number % 2}"
        for entry in cache.glob("??/*") if number % 4 < 2 else ():
            entry.unlink()
        process = server("--models", PREFIX, "--cache-dir", cache, "--grace", str(GRACE_S))
        callers = [Caller(process.port, random.Random(chance.random())) for _ in range(CLIENTS)]
        for caller in callers:
            caller.start()
        # Loads, inline and large predictions are all under way within that time.
        time.sleep(chance.uniform(0, 0.3))
        started = time.monotonic()
        code = process.stop()
        longest_s = max(longest_s, time.monotonic() - started)
        for caller in callers:
            caller.join()
            outcomes += caller.outcomes
            assert caller.faults == [], f"round {number}"
        assert code == 0, f"round {number}"
    print(f"{ROUNDS} stops under load: {dict(outcomes)}, the slowest took {longest_s:.2f} s")
    assert longest_s < GRACE_S
    assert outcomes["answered"] > 10 * ROUNDS
    # Only who comes between the last look at the door and its closing may be sent away without a word.
    assert outcomes["no answer at all"] <= max(1, outcomes["answered"] // 1000), outcomes

#!/usr/bin/env python3
"""Measures a server of the SageMaker routes: a cold load, then one-row requests over one connection.

usage: measure.py URL PID NAME DIRECTORY ROWS.csv [COUNT]

URL is where the server answers, PID the process whose whole tree is charged, NAME the model to load from
DIRECTORY, ROWS.csv what requests are made of: each request's row is put together from cells of several rows, so
that rows differ from call to call. COUNT (default 2000) requests are timed. Processor time is the system's own
account of every process in the tree, in nanoseconds.
"""

import csv
import json
import random
import socket
import statistics
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 60
COUNT = 2000
WARM_UP = 1000


class Connection:
    """One keep-alive connection to the server, opened again when the server closes it."""

    def __init__(self, url):
        place = urlsplit(url)
        if place.hostname != "127.0.0.1":
            raise ValueError(f"{url} is not on loopback")
        self._address = (place.hostname, place.port)
        self._socket = None

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def exchange(self, request):
        """Sends the bytes of a request; returns the status and the body of the answer."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head, body = self._head()
        length = length_of(head)
        while len(body) < length:
            body += self._some()
        if b"\r\nconnection: close" in head:
            self.close()
        return int(head[9:12]), body

    def _head(self):
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some()
        head, _, body = received.partition(b"\r\n\r\n")
        return head.lower(), body

    def _some(self):
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        return received


def length_of(head):
    """Returns the length of the body that the head of an answer announces."""
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"the answer does not say how long it is: {head!r}")


def request(method, path, content_type="", body=b""):
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n"
    if body:
        head += f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def invocation(name, row):
    return request("POST", f"/models/{name}/invoke", "text/csv", ",".join(row).encode())


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def mixed_rows(rows, count, seed):
    """Returns `count` rows, each cell taken from a row drawn at random."""
    columns = list(zip(*rows))
    draw = random.Random(seed)
    return [[draw.choice(column) for column in columns] for _ in range(count)]


class Tree:
    """A process and all its descendants at the moment of asking."""

    def __init__(self, pid):
        self._root = int(pid)

    def members(self):
        found, waiting = [], [self._root]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting.extend(int(child) for child in (task / "children").read_text().split())
        return found

    def processor_ns(self):
        """Returns the processor time that the tree's processes have used since each of them started."""
        return sum(time.clock_gettime_ns(processor_clock(pid)) for pid in self.members())

    def memory_mib(self):
        """Returns the tree's resident memory, what several processes share counted once."""
        return sum(proportional_kib(pid) for pid in self.members()) / 1024


def processor_clock(pid):
    """Returns the id of the clock that counts a process's processor time (Linux, include/linux/posix-timers.h)."""
    scheduler_clock = 2
    return (~pid << 3) | scheduler_clock


def proportional_kib(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError(f"/proc/{pid}/smaps_rollup holds no line Pss")


class Subject:
    """A model on a server under measurement."""

    def __init__(self, url, pid, name, directory, rows):
        self._connection = Connection(url)
        self._tree = Tree(pid)
        self._name = name
        self._directory = str(Path(directory).resolve())
        self._rows = rows
        self._latencies_ms = []
        self._processor_ns = 0
        self.failed = 0

    def load(self):
        """Loads the model and invokes it once; keeps how long each took and what the processor spent on both."""
        body = json.dumps({"model_name": self._name, "url": self._directory}).encode()
        before_ns = self._tree.processor_ns()
        self.load_ms = self._timed(request("POST", "/models", "application/json", body))
        self.first_ms = self._timed(invocation(self._name, self._rows[0]))
        self.load_processor_ms = (self._tree.processor_ns() - before_ns) / 1e6

    def unload(self):
        self._timed(request("DELETE", f"/models/{self._name}"))
        self._connection.close()

    def answers(self):
        """Returns the model's answer to each row, one request a row."""
        return [self._answer(row) for row in self._rows]

    def warm_up(self, count, seed):
        for row in mixed_rows(self._rows, count, seed):
            self._connection.exchange(invocation(self._name, row))

    def invoke(self, count, seed):
        """Times `count` one-row requests; those the server refuses are counted and not timed."""
        requests = [invocation(self._name, row) for row in mixed_rows(self._rows, count, seed)]
        before_ns = self._tree.processor_ns()
        for one in requests:
            began = time.perf_counter_ns()
            status, _ = self._connection.exchange(one)
            if status == 200:
                self._latencies_ms.append((time.perf_counter_ns() - began) / 1e6)
            else:
                self.failed += 1
        self._processor_ns += self._tree.processor_ns() - before_ns

    def figures(self):
        """Returns what was measured, by name; the names end in the unit."""
        percentiles = statistics.quantiles(self._latencies_ms, n=100, method="inclusive")
        return {
            "load_ms": self.load_ms,
            "first_invoke_ms": self.first_ms,
            "load_and_first_invoke_cpu_ms": self.load_processor_ms,
            "warm_cpu_us": self._processor_ns / 1e3 / (len(self._latencies_ms) + self.failed),
            "warm_p50_ms": percentiles[49],
            "warm_p99_ms": percentiles[98],
            "memory_pss_mib": self._tree.memory_mib(),
            "failed_requests": self.failed,
        }

    def _timed(self, one):
        began = time.perf_counter_ns()
        status, body = self._connection.exchange(one)
        if status != 200:
            raise RuntimeError(f"{one.splitlines()[0].decode()} got {status}: {body.decode(errors='replace')}")
        return (time.perf_counter_ns() - began) / 1e6

    def _answer(self, row):
        status, body = self._connection.exchange(invocation(self._name, row))
        if status != 200:
            raise RuntimeError(f"row {row} got {status}: {body.decode(errors='replace')}")
        return json.loads(body)[0]


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    url, pid, name, directory, rows = sys.argv[1:6]
    count = int(sys.argv[6]) if len(sys.argv) > 6 else COUNT
    subject = Subject(url, pid, name, directory, read_rows(rows))
    subject.load()
    subject.warm_up(WARM_UP, seed=1)
    subject.invoke(count, seed=2)
    for figure, value in subject.figures().items():
        print(f"{figure:30} {value:12.3f}")
    subject.unload()


if __name__ == "__main__":
    main()

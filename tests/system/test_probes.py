"""Probes under load: /ping and /ready are answered at once while every processor predicts."""

import threading
import time
from pathlib import Path

from houses import HOUSES, PREFIX
from http_client import Client

CLIENTS = 8
LOAD_S = 3
P99_S = 0.05


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def test_probes_are_answered_at_once_under_load(server, tmp_path):
    url = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--workers", "2").url
    end = time.monotonic() + LOAD_S
    served, failed = [], []

    def load(number):
        house = HOUSES[number % len(HOUSES)]
        # Half of the clients keep the compute threads busy, half the workers themselves.
        rows = house.rows * (3000 // len(house.rows) if number % 2 else 200 // len(house.rows))
        body, client = "\n".join(rows), Client(url)
        while time.monotonic() < end:
            answer = client.csv("/invocations", body, X_Amzn_SageMaker_Target_Model=house.target)
            (served if answer.status == 200 else failed).append(answer.status)

    clients = [threading.Thread(target=load, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    probe, waits = {path: Client(url) for path in ("/ping", "/ready")}, []
    while time.monotonic() < end:
        for path, client in probe.items():
            started = time.monotonic()
            answer = client("GET", path)
            waits.append(time.monotonic() - started)
            assert answer.status in (200, 503)
        # A new connection may fall to either worker.
        started = time.monotonic()
        assert Client(url)("GET", "/ping").status == 200
        waits.append(time.monotonic() - started)
        time.sleep(0.002)
    for client in clients:
        client.join()
    assert not failed and len(served) > 2 * CLIENTS
    shares = {share: f"{percentile(waits, share) * 1000:.2f} ms" for share in (0.5, 0.9, 0.99, 1)}
    print(f"{len(waits)} probes beside {len(served)} predictions: {shares}")
    assert percentile(waits, 0.99) < P99_S, shares


def test_threads_that_compute_and_load_make_way_for_those_that_answer(server, tmp_path):
    process, house = server("--models", PREFIX, "--cache-dir", tmp_path / "cache"), HOUSES[0]
    rows = "\n".join(house.rows * (3000 // len(house.rows)))
    assert Client(process.url).csv("/invocations", rows, X_Amzn_SageMaker_Target_Model=house.target).status == 200
    niceness = {"thicket-load": set(), "thicket-worker": set()}
    for stat in Path(f"/proc/{process.pid}/task").glob("*/stat"):
        name, fields = stat.read_text().partition("(")[2].rsplit(") ", 1)
        # A thread's name has at most 15 bytes.
        for kind in niceness:
            if name.startswith(kind[:14]):
                niceness[kind].add(int(fields.split()[16]))
    (own,) = niceness["thicket-worker"]
    assert niceness["thicket-load"] == {min(own + 5, 19)}

"""Milliseconds until a model that was never seen answers its first row, then until it does so after an unload."""

import contextlib
import statistics
import time

import houses
import servers
from parts.conversion import opening_ms
from parts.http import noted
from parts.kernels import workloads
from parts.outcome import Outcome, within
from rivals import Unavailable, say

NAMES = ("thicket", "FastAPI", "MLServer", "AWS")
MODELS, QUICK_MODELS = 8, 3
OPENED, QUICK_OPENED = 50, 10
FIRST, AGAIN = "never seen: load and first answer, ms", "loaded again: load and first answer, ms"
OPENING = "opening in process, ms (workload a)"


def timed(server, name, row):
    server.connection.renew()
    began = time.perf_counter_ns()
    server.load(name)
    server.invoke(name, row)
    return (time.perf_counter_ns() - began) / 1e6


def measure(folder, quick):
    """Each server loads the same models in turn; the medians count."""
    outcome = Outcome("Cold")
    count = QUICK_MODELS if quick else MODELS
    with contextlib.ExitStack() as stack:
        running = servers.start(folder, NAMES, stack, outcome)
        times = {server.name: ([], []) for server in running}
        for name in houses.names()[:count]:
            row = houses.rows(name)[0]
            say(f"cold: {name}, {count} in all")
            for server in running:
                with noted(outcome, server):
                    for kept in times[server.name]:
                        kept.append(timed(server, name, row))
                        server.unload(name)
    for name, (first, again) in times.items():
        for row, kept in ((FIRST, first), (AGAIN, again)):
            if kept:
                outcome.put(row, name, statistics.median(kept))
    opening(folder, outcome, QUICK_OPENED if quick else OPENED)
    goals(outcome)
    return outcome


def opening(folder, outcome, count):
    """Opens a booster and a session in process again and again."""
    for name in ("XGBoost", "ONNX Runtime"):
        try:
            model = workloads(folder, ["a"])["a"]
            median_ms, _ = opening_ms(folder, name, count, model)
            outcome.put(OPENING, name, median_ms)
        except Unavailable as error:
            outcome.missing[name] = str(error)


def goals(outcome):
    for what, row, limit_ms in (("cold, never seen, ms", FIRST, 5), ("cold, from the cache, ms", AGAIN, 0.3)):
        value = outcome.get(row, "thicket")
        if value:
            outcome.goals.append(within(what, value, limit_ms))

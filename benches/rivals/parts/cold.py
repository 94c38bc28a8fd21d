"""Milliseconds until a model that was never seen answers its first row, then until it does so after an unload."""

import contextlib
import json
import statistics
import time

import houses
import servers
from parts.conversion import opening_ms, packs
from parts.http import noted
from parts.kernels import workloads
from parts.outcome import Outcome, within
from rivals import Unavailable, run, say
from stopwatch import Stopwatch

NAMES = ("thicket", "FastAPI", "MLServer", "AWS")
MODELS, QUICK_MODELS = 8, 3
# A model is loaded again as often as fits into so many seconds.
AGAIN_S, AGAIN_MAX = 0.3, 25
CACHED, QUICK_CACHED = 200, 40
CACHED_S = 120
OPENED, QUICK_OPENED = 50, 10
FIRST, AGAIN = "never seen: load and first answer, ms", "loaded again: load and first answer, ms"
UNASKED = "asked for while cached on disk: first answer, ms"
OPENING = "opening in process, ms (workload a)"
LIMITS_MS = {
    "cold, never seen, ms": (FIRST, 5),
    "cold, loaded again from the cache, ms": (AGAIN, 0.3),
    "cold, asked for while in the cache, ms": (UNASKED, 0.3),
    "opening a pack alone, ms": (OPENING, 0.05),
}


class Timed:
    """A server and its client, and how long loads with their first answers took: of models never seen, and again."""

    def __init__(self, server, watch):
        self.server, self._watch = server, watch
        self.first, self.again = [], []

    def take(self, name, row):
        """Loads a model that was never seen, then again and again."""
        self.first.append(self._time(name, row))
        end = time.monotonic() + AGAIN_S
        for _ in range(AGAIN_MAX):
            self.again.append(self._time(name, row))
            if time.monotonic() > end:
                return

    def _time(self, name, row):
        took = self._watch.time_ms([self.server.loading(name), self.server.invocation(name, row)])
        self.server.connection.renew()
        self.server.unload(name)
        return took


def measure(folder, quick):
    """Each server loads the same models in turn; the medians count."""
    outcome = Outcome("Cold")
    over_http(folder, outcome, QUICK_MODELS if quick else MODELS)
    unasked(folder, outcome, QUICK_CACHED if quick else CACHED)
    opening(folder, outcome, QUICK_OPENED if quick else OPENED)
    goals(outcome)
    return outcome


def over_http(folder, outcome, count):
    """Loads of each server with its models' first answers, timed by the same client."""
    try:
        program = folder.program("exchange")
    except Unavailable as error:
        outcome.missing["load and first answer"] = str(error)
        return
    with contextlib.ExitStack() as stack:
        running = servers.start(folder, NAMES, stack, outcome)
        timed = [Timed(server, stack.enter_context(Stopwatch(program, server.process.url))) for server in running]
        for name in houses.names()[:count]:
            row = houses.rows(name)[0]
            say(f"cold: {name}, {count} in all")
            for one in timed:
                with noted(outcome, one.server):
                    one.take(name, row)
    for one in timed:
        for row, kept in ((FIRST, one.first), (AGAIN, one.again)):
            if kept:
                outcome.put(row, one.server.name, statistics.median(kept))


def unasked(folder, outcome, count):
    """A server that loads what it is asked for: one request, from `thicket-bench cold`. No rival does that by itself."""
    say("cold: thicket, asked for what lies in its cache")
    results = folder.path / "bench"
    try:
        run([folder.bench, "cold", "--thicket", folder.thicket, "--models", count, "--out", results], CACHED_S)
    except Unavailable as error:
        outcome.missing["thicket, asked for while cached"] = str(error)
        return
    states = json.loads((results / "cold-thicket.json").read_text())["results"]
    latency = next(state["latency"] for state in states if state["state"] == "cached on disk")
    outcome.put(UNASKED, "thicket", latency["p50_us"] / 1e3)


def opening(folder, outcome, count):
    """Opens a pack, a booster and a session in process again and again."""
    makers = {
        "thicket": lambda model: packs(folder, [model / "model.ubj"], count)[0]["opened_us"] / 1e3,
        "XGBoost": lambda model: opening_ms(folder, "XGBoost", count, model)[0],
        "ONNX Runtime": lambda model: opening_ms(folder, "ONNX Runtime", count, model)[0],
    }
    for name, make in makers.items():
        say(f"cold: opening in process, {name}")
        try:
            outcome.put(OPENING, name, make(workloads(folder, ["a"])["a"]))
        except Unavailable as error:
            outcome.missing[f"{name}, opening"] = str(error)


def goals(outcome):
    for what, (row, limit_ms) in LIMITS_MS.items():
        value = outcome.get(row, "thicket")
        if value:
            outcome.goals.append(within(what, value, limit_ms))

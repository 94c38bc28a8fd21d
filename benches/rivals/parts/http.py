"""One-row requests over keep-alive, by one client and by eight: latency, throughput, processor time."""

import contextlib
import json
import shutil

import houses
import servers
from parts.outcome import Outcome, at_least, at_most, more
from rivals import HERE, Unavailable, run, say

ROUNDS, SECONDS = 5, 3
QUICK_ROUNDS, QUICK_SECONDS = 2, 2
WARM_UP_S = 1
MODEL = "house-00"
# Started anew for each round: where a process happens to lie in memory makes one a third slower than the next.
ANEW = ("thicket", "bare hyper")
# What takes seconds to start stays up.
LASTING = ("FastAPI", "MLServer", "AWS")
CPU, RATE = "CPU us per request", "requests/s, 8 clients"


def bodies(folder, server):
    """Writes the bodies of requests to a server, one a line; returns the file."""
    path = folder.path / "houses" / f"{server.name.replace(' ', '-')}.bodies"
    path.write_text("".join(f"{server.body(row)}\n" for row in houses.mixed_rows(MODEL)))
    return path


def load(folder, server, clients, seconds):
    """Drives a server with wrk; returns what load.lua prints."""
    command = ["wrk", "--threads", "1", "--connections", clients, "--duration", f"{seconds}s", "--timeout", "10s"]
    script = ["--script", HERE / "load.lua", server.process.url, "--"]
    arguments = [server.path(MODEL), server.content_type, bodies(folder, server)]
    printed = run([*command, *script, *arguments], seconds + 30)
    figures = json.loads(printed.splitlines()[-1])
    if not figures["requests"] or figures["failed"]:
        raise Unavailable(f"{figures['failed']} of {figures['requests']} requests failed")
    return figures


def one_round(folder, server, seconds, outcome):
    """Times a server with one client, then with eight."""
    before_ns = server.tree.processor_ns()
    figures = load(folder, server, 1, seconds)
    cpu_us = (server.tree.processor_ns() - before_ns) / 1e3 / figures["requests"]
    outcome.least(CPU, server.name, cpu_us)
    for percentile in ("p50", "p90", "p99"):
        outcome.least(f"{percentile} us, 1 client", server.name, figures[f"{percentile}_us"])
    figures = load(folder, server, 8, seconds)
    outcome.most(RATE, server.name, figures["requests"] / figures["seconds"])


def measure(folder, quick):
    """Takes turns with all servers, all up at the same time; the best of the rounds counts, and of starts."""
    outcome = Outcome("HTTP, one row of CSV a request, a city's model of 100 trees")
    if shutil.which("wrk") is None:
        outcome.missing["all"] = "wrk is not on the path: apt-get install wrk"
        return outcome
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    with contextlib.ExitStack() as stack:
        lasting = started(folder, LASTING, stack, outcome)
        for turn in range(rounds):
            with contextlib.ExitStack() as anew:
                running = started(folder, ANEW, anew, outcome) + lasting
                for server in running[:: -1 if turn % 2 else 1]:
                    say(f"http: round {turn + 1} of {rounds}, {server.name}")
                    with noted(outcome, server):
                        one_round(folder, server, seconds, outcome)
    goals(outcome)
    return outcome


def started(folder, names, stack, outcome):
    """Starts the servers of those names that answer as they should."""
    running = servers.start(folder, names, stack, outcome)
    return [server for server in running if prepared(folder, server, outcome)]


def prepared(folder, server, outcome):
    """Loads the model, checks its answers and warms the server up."""
    with noted(outcome, server):
        server.connection.renew()
        server.load(MODEL)
        server.check(MODEL)
        load(folder, server, 1, WARM_UP_S)
        return True
    return False


@contextlib.contextmanager
def noted(outcome, server):
    try:
        yield
    except (Unavailable, OSError, ValueError) as error:
        outcome.missing[server.name] = str(error)


def goals(outcome):
    outcome.hold(at_most, f"HTTP {CPU}", CPU, "bare hyper", 1.3)
    outcome.hold(at_least, f"HTTP {CPU}", CPU, "AWS", 50)
    outcome.hold(at_most, "HTTP p50, 1 client", "p50 us, 1 client", "bare hyper", 1.2)
    outcome.hold(more, f"HTTP {RATE}", RATE, "bare hyper", 0.8)
    outcome.hold(more, f"HTTP {RATE}", RATE, "AWS", 40)

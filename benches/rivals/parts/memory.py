"""Memory of each server's processes with no model, some, and none again: what they share is counted once (PSS)."""

import contextlib

import houses
import servers
from parts.http import noted
from parts.outcome import Outcome, at_least, within
from rivals import say

NAMES = ("thicket", "FastAPI", "MLServer", "AWS")
COUNTS, QUICK_COUNTS = (1, 4, 20), (1, 4)
FLOOR_MIB = 15
EMPTY, EMPTIED = "no model, MiB", "after unloading all, MiB"


def measure(folder, quick):
    """Fills one server after the other, invoking each model once."""
    outcome = Outcome("Memory, PSS of all processes in MiB")
    counts = QUICK_COUNTS if quick else COUNTS
    for name in NAMES:
        with contextlib.ExitStack() as stack:
            for server in servers.start(folder, [name], stack, outcome):
                with noted(outcome, server):
                    fill(server, counts, outcome)
    goals(outcome, counts[-1])
    return outcome


def fill(server, counts, outcome):
    outcome.put(EMPTY, server.name, server.tree.memory_mib())
    names = houses.names()[: counts[-1]]
    for loaded, name in enumerate(names, start=1):
        server.load(name)
        server.invoke(name, houses.rows(name)[0])
        if loaded in counts:
            say(f"memory: {server.name} with {loaded}")
            outcome.put(with_models(loaded), server.name, server.tree.memory_mib())
    for name in names:
        server.unload(name)
    outcome.put(EMPTIED, server.name, server.tree.memory_mib())


def with_models(count):
    return f"{count} model{'s' if count > 1 else ''}, MiB"


def goals(outcome, most):
    empty = outcome.get(EMPTY, "thicket")
    if empty:
        outcome.goals.append(within("memory without a model, MiB", empty, FLOOR_MIB))
    for rival in NAMES[1:]:
        outcome.hold(at_least, f"memory with {most} models, MiB", with_models(most), rival, 1)

"""GB/s of every reader of CSV, from a body in memory to numbers, on one thread."""

import json

import bodies
from parts.outcome import Outcome, more
from rivals import HERE, Unavailable, run, say

ROUNDS, SECONDS = 3, 0.3
QUICK_ROUNDS, QUICK_SECONDS = 1, 0.1
ROUND_S = 120


def commands(folder, outcome, seconds):
    """Returns what reads the bodies: name -> command; a command may time several readers."""
    place = folder.path / "bodies"
    bodies.write(place)
    results = folder.path / "bench"
    makers = {
        "thicket": lambda: [folder.bench, "csv", "--folder", place, "--out", results],
        "the csv crate and fast-float2": lambda: [folder.program("texts"), seconds, place],
        "readers in Python": lambda: [folder.python("texts"), HERE / "engines" / "texts.py", seconds, place],
    }
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except Unavailable as error:
            outcome.missing[name] = str(error)
    return found


def figures(folder, name, printed):
    """Returns what a command found; thicket-bench writes a file, the others print lines."""
    if name != "thicket":
        return [json.loads(line) for line in printed.splitlines()]
    results = json.loads((folder.path / "bench" / "csv-thicket.json").read_text())["results"]
    return [{"reader": "thicket", **figure} for figure in results]


def measure(folder, quick):
    """Runs every reader in each round and keeps the best figure of the rounds."""
    outcome = Outcome("CSV, GB/s on one thread (body of 1 MB)")
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    for turn in range(rounds):
        for name, command in commands(folder, outcome, seconds).items():
            say(f"csv: round {turn + 1} of {rounds}, {name}")
            note(folder, outcome, name, command)
    for row in outcome.figures:
        outcome.hold(more, f"CSV {row}", row, "csv crate", 6)
    return outcome


def note(folder, outcome, name, command):
    try:
        found = figures(folder, name, run(command, ROUND_S))
    except Unavailable as error:
        outcome.missing[name] = str(error)
        return
    for figure in found:
        if "error" in figure:
            outcome.missing[f"{figure['reader']}, {figure['body']}"] = figure["error"]
        else:
            outcome.most(figure["body"], figure["reader"], figure["gb_per_s"])

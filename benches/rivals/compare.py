#!/usr/bin/env python3
"""Measures thicket and AWS's stack side by side on the four city models and prints one table.

usage: compare.py [--thicket target/release/thicket] [--folder target/rivals] [--count 2000] [--aws-only]

Each of the four rounds loads a city that neither server has seen, checks every answer against XGBoost 0.90's and
then takes turns in slices of requests. Both get the same requests from the same client in the same minute;
compare the ratios, not the times of different runs.
"""

import argparse
import contextlib
import json
import platform
import statistics
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from measure import COUNT, WARM_UP, Subject, read_rows

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOUSES = ROOT / "tests" / "fixtures" / "houses"
sys.path.insert(0, str(ROOT / "tests" / "system"))

from process import Process  # noqa: E402

ANNOUNCEMENT = r"listening on (http://127\.0\.0\.1:\d+)"
SLICES = 4
# Installing the packages comes before AWS's stack says where it listens.
INSTALL_S = 600
# XGBoost 1.7 adds the trees up in another order than 0.90.
TOLERANCE = 1e-6


class Contender:
    """A running server and where it finds the models in the form that it reads."""

    def __init__(self, name, process, models):
        self.name = name
        self.process = process
        self.models = models
        self.rounds = []

    def subject(self, city):
        rows = read_rows(HOUSES / f"{city}.csv")
        return Subject(self.process.url, self.process.pid, city, self.models / city, rows)


def archives():
    return sorted((HOUSES / "models").glob("*/model.tar.gz"))


def thicket(binary, scratch):
    """Starts thicket on the unpacked archives: what the platform lays before a container."""
    models = scratch / "models"
    for archive in archives():
        with tarfile.open(archive) as tar:
            tar.extractall(models / archive.parent.name, filter="data")
    command = [binary, "serve", "--host", "127.0.0.1", "--port", "0", "--cache-dir", scratch / "cache"]
    environment = {"SAGEMAKER_MULTI_MODEL": "true"}
    return Contender("thicket", Process(command, ANNOUNCEMENT, environment), models)


def aws(folder):
    """Starts AWS's stack on the same models, saved again by the XGBoost it runs."""
    command = [sys.executable, HERE / "aws" / "run.py", folder, *archives()]
    process = Process(command, ANNOUNCEMENT, start_s=INSTALL_S)
    return Contender("AWS", process, folder / "models")


def check(contender, city, answers):
    """Refuses to time a server that answers something else than XGBoost did."""
    expected = json.loads((HOUSES / f"{city}.expected.json").read_text())["value"]
    for row, (answer, value) in enumerate(zip(answers, expected, strict=True)):
        if abs(answer - value) > TOLERANCE * abs(value):
            raise SystemExit(f"{contender.name}, {city}, row {row}: {answer} instead of {value}")


def play(contenders, city, count):
    """Measures each contender on one city and appends its figures to its rounds."""
    subjects = [(contender, contender.subject(city)) for contender in contenders]
    for contender, subject in subjects:
        subject.load()
        check(contender, city, subject.answers())
        subject.warm_up(WARM_UP, seed=0)
    for seed in range(1, SLICES + 1):
        for _, subject in subjects:
            subject.invoke(count // SLICES, seed)
    for contender, subject in subjects:
        contender.rounds.append(subject.figures())
        subject.unload()


def medians(contender):
    names = contender.rounds[0]
    return {name: statistics.median(figures[name] for figures in contender.rounds) for name in names}


def report(contenders):
    """Prints the median of the rounds for each figure and how many times more the last contender needs."""
    columns = [medians(contender) for contender in contenders]
    print(f"{'median of the rounds':30}" + "".join(f"{c.name:>12}" for c in contenders) + f"{'ratio':>10}")
    for name in columns[0]:
        values = [column[name] for column in columns]
        ratio = f"{values[-1] / values[0]:10.1f}" if len(values) > 1 and values[0] else f"{'':10}"
        print(f"{name:30}" + "".join(f"{value:12.3f}" for value in values) + ratio)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--thicket", type=Path, default=ROOT / "target" / "release" / "thicket")
    parser.add_argument("--folder", type=Path, default=ROOT / "target" / "rivals")
    parser.add_argument("--count", type=int, default=COUNT, help="timed requests per round and server")
    parser.add_argument("--aws-only", action="store_true", help="measure AWS's stack alone")
    return parser.parse_args()


def main():
    chosen = arguments()
    if not chosen.aws_only and not chosen.thicket.is_file():
        sys.exit(f"{chosen.thicket} is missing; build it with: cargo build --release -p thicket-server")
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="thicket-compare-")))
        contenders = []
        if not chosen.aws_only:
            contenders.append(thicket(chosen.thicket, scratch))
            stack.callback(contenders[-1].process.stop)
        contenders.append(aws(chosen.folder.resolve() / "aws"))
        stack.callback(contenders[-1].process.stop)
        for turn, archive in enumerate(archives()):
            # Who begins changes from round to round.
            order = contenders[::-1] if turn % 2 else contenders
            play(order, archive.parent.name, chosen.count)
    print(f"{time.strftime('%Y-%m-%d')}, {processor()}, Linux {platform.release()}")
    report(contenders)


if __name__ == "__main__":
    main()

"""Nanoseconds per row of every engine in process, on one thread, on the workloads a to e."""

import json
import os
import shutil

from parts.outcome import Outcome, at_least
from rivals import HERE, Unavailable, run, say

BATCHES = (1, 256, 10_000)
# thicket with what every processor of the kind has, one row a call.
PORTABLE, PORTABLE_RUN, PORTABLE_BATCHES = "thicket without AVX", "portable", (1,)
ROUNDS, SECONDS = 3, 0.2
QUICK_ROUNDS, QUICK_SECONDS = 1, 0.05
TRAINING_S = 3600
# What gcc or LLVM may take for a model, compiled once and kept; d, three times b, is not tried.
COMPILE_S = {"a": 120, "b": 600, "c": 600, "e": 1200}
QUICK_WORKLOADS = ("a", "b")
ROUND_S = 300
SINGLE = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


def workloads(folder, names):
    """Returns the folders of the workloads, trained if they are not there; ONNX Runtime has a graph of each."""
    place = folder.path / "workloads"
    script = [folder.python("workloads"), HERE / "workloads.py", place, *names]
    if any(not (place / name / "meta.json").exists() for name in names):
        say("workloads: training, this takes some minutes and is kept")
    run(script, TRAINING_S)
    for name in names:
        booster, graph = place / name / "model.ubj", place / name / "opset3.onnx"
        if booster.exists() and not graph.exists():
            run([folder.thicket, "convert", "--opset", "3", "--output", graph, booster], 60)
    return {name: place / name for name in names}


def compiled(folder, tool, script, models, outcome):
    """Compiles each model with a tool, if that was not done before; returns the folder of the libraries."""
    place = folder.path / tool
    place.mkdir(parents=True, exist_ok=True)
    python = folder.python(tool)
    for name, model in models.items():
        library = place / f"{name}.so"
        if library.exists():
            continue
        say(f"{tool}: compiling {name}")
        try:
            if name not in COMPILE_S:
                raise Unavailable("not tried: b, a third of its size, already takes gcc minutes")
            run([python, script, model, library], COMPILE_S[name])
        except Unavailable as error:
            outcome.missing[f"{tool}, {name}"] = str(error)
    return place


def of_xgboost(models):
    return {name: model for name, model in models.items() if (model / "model.ubj").exists()}


def with_library(place, models):
    return {name: model for name, model in models.items() if (place / f"{name}.so").exists()}


class Engines:
    """The commands that time each engine: a function of the seconds that a figure may take."""

    def __init__(self, folder, models, outcome):
        self._folder, self._models, self._outcome = folder, models, outcome
        self._program = None

    def commands(self):
        """Returns name -> command for the engines that are installed."""
        boosters, libraries = of_xgboost(self._models), self._folder.runtimes
        makers = {
            "thicket": lambda: self._thicket(BATCHES),
            PORTABLE: lambda: self._thicket(PORTABLE_BATCHES, "--portable", "--name", PORTABLE_RUN),
            "XGBoost": lambda: self._driver("xgboost", libraries / "libxgboost.so", boosters),
            "ONNX Runtime": lambda: self._driver("onnxruntime", libraries / "libonnxruntime.so", self._models),
            "hessboost": lambda: self._driver("hessboost", "-", boosters),
            "Treelite": self._treelite,
            "TL2cgen": self._tl2cgen,
            "lleaves": self._lleaves,
            "daal4py": self._daal4py,
        }
        found = {}
        for name, make in makers.items():
            try:
                found[name] = make()
            except Unavailable as error:
                self._outcome.missing[name] = str(error)
        return found

    def _thicket(self, batches, *more):
        if not self._folder.bench.exists():
            raise Unavailable(f"{self._folder.bench} is missing")
        place, names = self._folder.path / "workloads", ",".join(self._models)
        results = self._folder.path / "bench"

        def command(_):
            line = [self._folder.bench, "kernels", "--workloads", place, "--only", names, "--passes", "3"]
            return [*line, "--batches", ",".join(map(str, batches)), "--out", results, *more]

        return command

    def _driver(self, engine, library, models):
        self._program = self._program or self._folder.program("kernels")
        batches = ",".join(map(str, BATCHES))
        return lambda seconds: [self._program, engine, library, seconds, batches, *models.values()]

    def _treelite(self):
        where = "import treelite, pathlib; print(pathlib.Path(treelite.__file__).parent / 'lib' / 'libtreelite.so')"
        library = run([self._folder.python("tl2cgen"), "-c", where], 60).strip()
        return self._driver("treelite", library, self._models)

    def _tl2cgen(self):
        if shutil.which("gcc") is None:
            raise Unavailable("gcc is not on the path")
        script = HERE / "engines" / "tl2cgen_compile.py"
        place = compiled(self._folder, "tl2cgen", script, self._models, self._outcome)
        return self._driver("tl2cgen", place, with_library(place, self._models))

    def _lleaves(self):
        models = {name: model for name, model in self._models.items() if (model / "model.txt").exists()}
        place = compiled(self._folder, "lleaves", HERE / "engines" / "lleaves_compile.py", models, self._outcome)
        return self._driver("lleaves", place, with_library(place, models))

    def _daal4py(self):
        python, script = self._folder.python("daal4py"), HERE / "engines" / "daal4py_kernels.py"
        batches, models = ",".join(map(str, BATCHES)), of_xgboost(self._models)
        return lambda seconds: [python, script, seconds, batches, *models.values()]


def figures(folder, name, printed):
    """Returns what an engine found: thicket-bench writes a file, the others print lines."""
    if name in ("thicket", PORTABLE):
        run_name = PORTABLE_RUN if name == PORTABLE else "thicket"
        return json.loads((folder.path / "bench" / f"kernels-{run_name}.json").read_text())["results"]
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def measure(folder, quick):
    """Runs every engine in each round and keeps the best figure of the rounds."""
    outcome = Outcome("Kernels, ns per row on one thread (workload, rows of a call)")
    names = QUICK_WORKLOADS if quick else ("a", "b", "c", "d", "e")
    commands = Engines(folder, workloads(folder, names), outcome).commands()
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    for turn in range(rounds):
        for name, command in commands.items():
            say(f"kernels: round {turn + 1} of {rounds}, {name}")
            note(folder, outcome, name, command(seconds))
    goals(outcome)
    return outcome


def note(folder, outcome, name, command):
    """Runs one engine once and keeps what it found."""
    try:
        found = figures(folder, name, run(command, ROUND_S, env=os.environ | SINGLE))
    except Unavailable as error:
        outcome.missing[name] = str(error)
        return
    for figure in found:
        if "error" in figure:
            outcome.missing[f"{name}, {figure['workload']}"] = figure["error"]
        else:
            row = f"{figure['workload']}, {figure['batch']}"
            outcome.least(row, name, figure["ns_per_row"])
            if figure.get("equal") is False and name in ("thicket", PORTABLE, "hessboost", "XGBoost"):
                outcome.missing[f"{name}, {figure['workload']}"] = "its margins are not XGBoost's to the bit"


def goals(outcome):
    for row, figures in outcome.figures.items():
        if row.endswith(", 1"):
            known = [name for name in ("XGBoost", "ONNX Runtime") if name in figures]
            better = min(known, key=figures.get, default="XGBoost")
            outcome.hold(at_least, f"kernel {row}", row, better, 15)
            outcome.hold(at_least, f"kernel {row}", row, "hessboost", 2)
            outcome.hold(at_least, f"kernel {row}, without AVX", row, "XGBoost", 5, PORTABLE)
        else:
            outcome.hold(at_least, f"kernel {row}", row, "XGBoost", 15)
            outcome.hold(at_least, f"kernel {row}", row, "hessboost", 3)

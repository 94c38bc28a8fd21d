"""MB/s from a model file to what predicts, in process: thicket converts and verifies, XGBoost loads."""

import json
import os

from parts.kernels import SINGLE, workloads
from parts.outcome import Outcome, reaching
from rivals import Unavailable, run, say

COUNT, QUICK_COUNT = 30, 5
TIMEOUT_S = 300
MB = 1e6
# Forms of workload b, 500 trees of depth 8.
FORMS = {"UBJSON": "model.ubj", "legacy": "legacy.deprecated", "JSON": "model.json"}
LIBRARIES = {"XGBoost": "libxgboost.so", "ONNX Runtime": "libonnxruntime.so"}
AIMED_MB_PER_S = {"UBJSON": 200, "legacy": 200}


def measure(folder, quick):
    """Reads the same files with both again and again; the fastest round counts."""
    outcome = Outcome("Conversion, MB/s of the model file (workload b)")
    count = QUICK_COUNT if quick else COUNT
    try:
        model = workloads(folder, ["b"])["b"]
    except Unavailable as error:
        outcome.missing["all"] = str(error)
        return outcome
    files = {form: model / name for form, name in FORMS.items()}
    converted(folder, files, count, outcome)
    loaded(folder, files, count, outcome)
    for form, limit in AIMED_MB_PER_S.items():
        value = outcome.get(form, "thicket")
        if value:
            outcome.goals.append(reaching(f"conversion and verification, {form}, MB/s", value, limit))
    return outcome


def converted(folder, files, count, outcome):
    say("conversion: thicket")
    try:
        for form, figure in zip(files, packs(folder, files.values(), count), strict=True):
            outcome.put(form, "thicket", figure["mb_per_s"])
    except Unavailable as error:
        outcome.missing["thicket"] = str(error)


def loaded(folder, files, count, outcome):
    for form, file in files.items():
        say(f"conversion: XGBoost, {form}")
        try:
            _, least_ms = opening_ms(folder, "XGBoost", count, file.parent, file)
            outcome.put(form, "XGBoost", file.stat().st_size / MB / (least_ms / 1e3))
        except Unavailable as error:
            outcome.missing[f"XGBoost, {form}"] = str(error)


def packs(folder, files, count):
    """Returns what thicket-bench finds of the conversion of each file and of opening what comes of it."""
    results = folder.path / "bench"
    run([folder.bench, "conversion", *files, "--rounds", count, "--out", results], TIMEOUT_S)
    return json.loads((results / "conversion-thicket.json").read_text())["results"]


def opening_ms(folder, name, count, model, *booster):
    """Returns how long a rival takes to open a workload's model in process, or another file of it: median and least."""
    engine = name.lower().replace(" ", "")
    command = [folder.program("open"), engine, folder.runtimes / LIBRARIES[name], count, model, *booster]
    median_ms, least_ms = map(float, run(command, TIMEOUT_S, env=os.environ | SINGLE).split())
    return median_ms, least_ms

#!/usr/bin/env python3
"""Trains the models that rivals are compared on, with rows for them and the margins that their trainer gives.

usage: workloads.py FOLDER [NAME ...]

Each NAME (default: all) becomes FOLDER/NAME with model.ubj, model.json and legacy.deprecated, the form before XGBoost
3.1, (XGBoost) or model.onnx and model.txt (LightGBM), rows.f32 and expected.f32 (row-major little-endian float32, NaN is
a missing value) and meta.json. What lies there already is kept. Needs the packages of requirements/workloads.txt.
"""

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy

TRAINING_ROWS = 8_000
ROWS = 20_480
MISSING = 0.05
SEED = 20_240_607
THREADS = 1


@dataclass(frozen=True)
class Workload:
    """What a model looks like: how many rounds, how many features, and its trainer's own parameters."""

    features: int
    rounds: int
    outputs: int = 1
    target: str = "regression"
    parameters: dict = field(default_factory=dict)


# Nothing but the depth or the number of leaves ends a tree's growth, so that the trees are full.
FULL = {"tree_method": "hist", "eta": 0.02, "min_child_weight": 0, "nthread": THREADS, "seed": 1}
LEAVES = {"grow_policy": "lossguide", "max_leaves": 256, "max_depth": 0}
SOFTMAX = {"objective": "multi:softprob", "num_class": 10}
LIGHTGBM = {"objective": "regression", "num_leaves": 127, "num_threads": THREADS, "verbose": -1, "seed": 1}

WORKLOADS = {
    "a": Workload(8, 100, parameters={**FULL, "max_depth": 6}),
    "b": Workload(30, 500, target="binary", parameters={**FULL, "max_depth": 8, "objective": "binary:logistic"}),
    "c": Workload(50, 100, 10, "classes", {**FULL, **SOFTMAX, "max_depth": 6}),
    "d": Workload(100, 1000, parameters={**FULL, **LEAVES}),
    "e": Workload(30, 500, target="lightgbm", parameters=LIGHTGBM),
}


def draw(random, rows, features):
    """Returns rows of normally distributed values, some of them missing, and a noisy score for each row."""
    values = random.standard_normal((rows, features)).astype(numpy.float32)
    first, second, third, fourth = (values[:, column % features] for column in (0, 1, 2, 5))
    signal = 2 * numpy.sin(2 * first) + second * third + numpy.abs(fourth) + 0.3 * values.sum(axis=1)
    score = signal + random.standard_normal(rows)
    values[random.random(values.shape) < MISSING] = numpy.nan
    return values, score


def labels(target, score):
    """Returns what a model of this target learns from the score."""
    if target == "binary":
        return score > numpy.median(score)
    if target == "classes":
        return numpy.digitize(score, numpy.quantile(score, numpy.arange(1, 10) / 10))
    return score


def xgboost_model(folder, workload, values, label, rows):
    """Trains with XGBoost, writes the model in both of its forms and returns the margins of the rows."""
    import xgboost

    matrix = xgboost.DMatrix(values, label)
    booster = xgboost.train(workload.parameters, matrix, workload.rounds)
    booster.save_model(folder / "model.ubj")
    booster.save_model(folder / "model.json")
    margins = booster.predict(xgboost.DMatrix(rows), output_margin=True)
    trees = booster.get_dump(dump_format="text")
    return margins, f"XGBoost {xgboost.__version__}", len(trees), sum(tree.count("leaf=") for tree in trees)


def lightgbm_model(folder, workload, values, label, rows):
    """Trains with LightGBM, writes its text and the same as ONNX, and returns the predictions of the rows."""
    import lightgbm
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    booster = lightgbm.train(workload.parameters, lightgbm.Dataset(values, label), workload.rounds)
    booster.save_model(folder / "model.txt")
    inputs = [("input", FloatTensorType([None, workload.features]))]
    graph = convert_lightgbm(booster, initial_types=inputs, target_opset=15, zipmap=False)
    (folder / "model.onnx").write_bytes(graph.SerializeToString())
    trees = booster.dump_model()["tree_info"]
    predictions = booster.predict(rows, raw_score=True)
    return predictions, f"LightGBM {lightgbm.__version__}", len(trees), sum(tree["num_leaves"] for tree in trees)


def make(folder, name):
    """Trains one workload into its folder; meta.json comes last and says that it is whole."""
    workload = WORKLOADS[name]
    folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(SEED)
    values, score = draw(random, TRAINING_ROWS, workload.features)
    rows, _ = draw(random, ROWS, workload.features)
    train = lightgbm_model if workload.target == "lightgbm" else xgboost_model
    margins, trainer, trees, leaves = train(folder, workload, values, labels(workload.target, score), rows)
    rows.astype("<f4").tofile(folder / "rows.f32")
    margins.astype("<f4").tofile(folder / "expected.f32")
    meta = {
        "features": workload.features,
        "rows": ROWS,
        "trees": trees,
        "outputs": workload.outputs,
        "leaves": leaves,
        "trainer": trainer,
        # Sums of float32 in the trainer's order; LightGBM's are of float64 and those of ONNX are not.
        "exact": train is xgboost_model,
    }
    (folder / "meta.json").write_text(json.dumps(meta) + "\n")
    return meta


def save_legacy(booster, path):
    """Saves an XGBoost model once more, in the form before 3.1; another process never sees half of it."""
    import xgboost

    # It would warn of the form's age.
    with xgboost.config_context(verbosity=0):
        raw = xgboost.Booster(model_file=booster).save_raw("deprecated")
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(raw)
    unfinished.rename(path)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[2:] or WORKLOADS:
        folder = Path(sys.argv[1]) / name
        if not (folder / "meta.json").exists():
            began = time.monotonic()
            print(f"workload {name}: training", file=sys.stderr, flush=True)
            meta = make(folder, name)
            print(f"workload {name}: {meta} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        booster, legacy = folder / "model.ubj", folder / "legacy.deprecated"
        if booster.exists() and not legacy.exists():
            save_legacy(booster, legacy)


if __name__ == "__main__":
    main()

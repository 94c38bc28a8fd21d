"""Boosters trained in the test run by the installed XGBoost, of random parameters: thicket answers the same numbers.

THICKET_RANDOM_MODELS says how many models (default 60), THICKET_RANDOM_SEED which ones.
"""

import collections
import os
import pickle
import subprocess

import numpy as np

from random_models import random_model

MODELS = int(os.environ.get("THICKET_RANDOM_MODELS", "60"))
SEED = int(os.environ.get("THICKET_RANDOM_SEED", "20200117"))
# XGBoost's own formulas are in f32 without exp: not even the last bit may differ.
EXACT = ("reg:squarederror", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror", "binary:logitraw",
         "binary:hinge", "multi:softmax", "rank:")  # fmt: skip


def forms(booster):
    """The booster in every form that this version writes: name and bytes."""
    yield "json", bytes(booster.save_raw("json"))
    yield "ubj", bytes(booster.save_raw("ubj"))
    for protocol in range(2, 6):
        yield f"p{protocol}.pkl", pickle.dumps(booster, protocol=protocol)
    try:
        yield "deprecated", bytes(booster.save_raw("deprecated"))
    except ValueError:
        # Categories, vector leaves and several targets have no place in the legacy form.
        return


def write_rows(path, rows):
    path.write_text("".join(",".join(repr(float(cell)) for cell in row) + "\n" for row in rows))


def predict(binary, artifact, rows, output):
    """What thicket answers, a row each."""
    command = [binary, "predict", "--output", output, "--input", rows, artifact]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return np.array([line.split(",") for line in done.stdout.splitlines()], dtype=np.float32)


def check(what, found, expected, ulps):
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    distance = np.abs(ordered(found) - ordered(expected))
    both_nan = np.isnan(found) & np.isnan(expected)
    if not np.all(both_nan | (distance <= ulps)):
        row, column = np.argwhere(~both_nan & (distance > ulps))[0]
        raise AssertionError(f"{what}, row {row}: {found[row, column]!r}, expected {expected[row, column]!r}")


def ordered(numbers):
    """Whole numbers that are one apart where floats are neighbours; zeros of both signs are neighbours."""
    bits = np.ascontiguousarray(numbers).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - 1 - bits, bits)


def check_model(binary, model, folder):
    """Compares every form's margins and one form's values; returns the names of the forms."""
    rows = folder / "rows.csv"
    write_rows(rows, model.rows)
    margins, names = model.predict("margin"), []
    for name, content in forms(model.booster):
        artifact = folder / f"model.{name}"
        artifact.write_bytes(content)
        check(f"margin of {name}", predict(binary, artifact, rows, "margin"), margins, 0)
        names.append(name)
    exact = any(f"'objective': '{objective}" in model.description for objective in EXACT)
    check("value", predict(binary, artifact, rows, "value"), model.predict("value"), 0 if exact else 1)
    return names


def test_random_models_answer_as_xgboost_does(binary, tmp_path):
    counts = collections.Counter()
    number = 0
    while counts["models"] < MODELS:
        model = random_model(SEED, number)
        if model is None:
            counts["not trained by XGBoost"] += 1
        else:
            try:
                counts.update(check_model(binary, model, tmp_path))
            except AssertionError as error:
                again = f'python -c "from random_models import *; random_model({SEED}, {number})"'
                raise AssertionError(f"seed {SEED}, model {number} ({again}): {model.description}\n{error}") from None
            counts["models"] += 1
        number += 1
    print(f"seed {SEED}: {dict(counts)}")
    assert counts["not trained by XGBoost"] < counts["models"]

"""The ONNX that thicket writes is valid, and ONNX Runtime agrees with what XGBoost itself answered.

THICKET_BIN names the program to convert with (default: target/release/thicket); it is called as
`THICKET_BIN convert ARTIFACT -o OUT.onnx`.
"""

import csv
import json
import os
import pathlib
import subprocess
import tarfile

import numpy as np
import onnx
import onnxruntime
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
THICKET = os.environ.get("THICKET_BIN", str(REPOSITORY / "target/release/thicket"))
ARCHIVES = sorted((REPOSITORY / "tests/fixtures/xgboost").glob("*.tar.gz"))
TOLERANCE = 1e-5
NOT_MODELS = {"input.csv", "expected.json"}


def read_rows(path):
    with path.open(newline="") as file:
        cells = [[float(cell) if cell else np.nan for cell in row] for row in csv.reader(file)]
    return np.array(cells, dtype=np.float32)


def read_expected(path):
    """The arrays that XGBoost answered, by name, two-dimensional."""
    expected = json.loads(path.read_text())
    arrays = {}
    for name, array in expected.items():
        if isinstance(array, dict) and "data" in array:
            arrays[name] = np.array(array["data"], dtype=np.float32).reshape(array["shape"][0], -1)
    return arrays


def convert(artifact, out, *options):
    return subprocess.run([THICKET, "convert", *options, str(artifact), "-o", str(out)], capture_output=True, text=True)


def difference(found, expected):
    """The greatest difference, relative to the size of large numbers."""
    assert found.shape == expected.shape
    return float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))


def answers(model_path, rows):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
    margin, value = session.run(["margin", "value"], {"input": rows})
    return {"margin": margin, "value": value}


def is_cut(artifact, model, expected):
    """Whether early stopping cut the trees: a pickled booster's own limit does."""
    keys = {entry.key for entry in model.metadata_props}
    return "value_best" in expected and artifact.suffix == ".pkl" and "thicket.best_ntree_limit" in keys


def assert_is_older(model):
    """Whether the model asks for nothing newer than ONNX 1.11, the first with ai.onnx.ml 3."""
    assert model.ir_version <= 8
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 13, "ai.onnx.ml": 3}
    assert "TreeEnsemble" not in {node.op_type for node in model.graph.node}


def check_case(case, out, *options):
    """Converts and runs each model file of a case; returns how many it checked."""
    rows, expected = read_rows(case / "input.csv"), read_expected(case / "expected.json")
    checked = 0
    for artifact in sorted(case.iterdir()):
        if artifact.name in NOT_MODELS:
            continue
        done = convert(artifact, out, *options)
        if "categorical" in case.name and options:
            assert done.returncode == 1 and "no splits by categories" in done.stderr, f"{artifact}: {done.stderr}"
            continue
        assert done.returncode == 0, f"{artifact}: {done.stderr}"
        model = onnx.load(out)
        if options:
            assert_is_older(model)
        onnx.checker.check_model(model, full_check=True)
        found = answers(out, rows)
        if is_cut(artifact, model, expected):
            pairs = [("value", "value_best")]
        else:
            pairs = [("margin", "margin"), ("value", "value")]
        for ours, theirs in pairs:
            apart = difference(found[ours], expected[theirs])
            assert apart <= TOLERANCE, f"{artifact}: {ours} differs by {apart}"
        checked += 1
    return checked


@pytest.mark.parametrize("options", [(), ("--opset", "3")], ids=["current", "older"])
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name.removesuffix(".tar.gz"))
def test_onnxruntime_agrees(archive, options, tmp_path):
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    cases = sorted(path.parent for path in tmp_path.glob("*/*/expected.json"))
    assert sum(check_case(case, tmp_path / "out.onnx", *options) for case in cases) > 40


def test_a_booster_without_trees_answers_its_base_scores(tmp_path):
    model = {
        "version": [3, 1, 0],
        "learner": {
            "learner_model_param": {"base_score": "[1E-1,-2E0,3E0]", "num_class": "3", "num_feature": "2", "num_target": "1"},
            "objective": {"name": "multi:softprob", "softmax_multiclass_param": {"num_class": "3"}},
            "gradient_booster": {"name": "gbtree", "model": {"tree_info": [], "trees": []}},
        },
    }
    artifact, out = tmp_path / "model.json", tmp_path / "out.onnx"
    artifact.write_text(json.dumps(model))
    done = convert(artifact, out)
    assert done.returncode == 0, done.stderr
    onnx.checker.check_model(onnx.load(out), full_check=True)
    found = answers(out, np.array([[1, np.nan], [np.inf, 2]], dtype=np.float32))
    base = np.array([0.1, -2, 3], dtype=np.float32)
    assert np.array_equal(found["margin"], [base, base])
    assert np.allclose(found["value"], np.exp(base) / np.exp(base).sum())

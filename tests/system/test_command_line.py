"""The command line: convert, inspect, predict, and options that are refused before anything starts."""

import json
import os
import re
import struct
import subprocess
import tarfile

import numpy as np
import pytest

from houses import HOUSES


@pytest.fixture
def thicket(binary):
    """Runs the program to its end."""

    def run(*arguments, environment=None):
        command = [str(binary), *map(str, arguments)]
        environment = {**os.environ, **(environment or {})}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=20)

    return run


def predict(thicket, artifact, rows, output="value"):
    done = thicket("predict", "--output", output, "--input", rows, artifact)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_predict_prints_the_shortest_number_that_reads_back(thicket, tmp_path):
    for house in HOUSES:
        rows = tmp_path / "rows.csv"
        rows.write_text("\n".join(house.rows) + "\n")
        lines = predict(thicket, house.archive, rows)
        assert [float(np.float32(line)) for line in lines] == house.prices
        assert all(len(line) <= len(repr(price)) for line, price in zip(lines, house.prices))
        assert predict(thicket, house.unpack(tmp_path / house.name), rows) == lines
        assert predict(thicket, tmp_path / house.name / "xgboost-model", rows, "margin") == lines


def test_predict_separates_classes_by_commas(thicket, fixtures):
    case = fixtures / "onnx" / "logistic"
    expected = json.loads((case / "expected.json").read_text())["outputs"]["probabilities"]["values"]
    lines = predict(thicket, case / "model.onnx", case / "input.csv")
    found = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    assert np.allclose(found, np.array(expected).reshape(found.shape), rtol=0, atol=1e-6)


def fixture_case(fixtures, folder, version, case):
    """Unpacks one case of the fixtures; returns its model, its rows and what its XGBoost answered."""
    with tarfile.open(fixtures / "xgboost" / f"{version}.tar.gz") as archive:
        for name in ("model.json", "input.csv", "expected.json"):
            (folder / name).write_bytes(archive.extractfile(f"{version}/{case}/{name}").read())
    return folder / "model.json", folder / "input.csv", json.loads((folder / "expected.json").read_text())


@pytest.mark.parametrize("case", ["multi_softprob", "categorical_partition", "gblinear_multi"])
def test_predict_prints_leaves_and_contributions(thicket, fixtures, tmp_path, case):
    model, rows, expected = fixture_case(fixtures, tmp_path, "3.0.5", case)
    explained = json.loads((fixtures / "xgboost_contributions" / "3.0.5.json").read_text())[case]
    answers = {"contributions": explained["data"], "margin": expected["margin"]["data"]}
    if case != "gblinear_multi":
        answers["leaf"] = expected["leaf"]["data"]
    for output, numbers in answers.items():
        lines = predict(thicket, model, rows, output)
        found = np.array([[float(cell) for cell in line.split(",")] for line in lines])
        numbers = np.array(numbers).reshape(found.shape)
        assert np.all(np.abs(found - numbers) <= 1e-5 * np.maximum(1, np.abs(numbers))), output


def test_a_converted_model_is_an_artifact_and_answers_the_same(thicket, tmp_path):
    house = HOUSES[0]
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join(house.rows))
    converted = tmp_path / "model.onnx"
    assert thicket("convert", house.archive, "-o", converted).returncode == 0
    assert predict(thicket, converted, rows) == predict(thicket, house.archive, rows)


def test_inspect_tells_what_an_artifact_is(thicket):
    done = thicket("inspect", HOUSES[0].archive)
    assert done.returncode == 0, done.stderr
    for part in ("xgboost-model", "pickle", "reg:", "100", "6", "pack bytes", "ONNX bytes", "thicket's kernels"):
        assert part in done.stdout, f"{part} is missing in:\n{done.stdout}"


def test_failures_say_what_and_where(thicket, tmp_path):
    broken = tmp_path / "xgboost-model"
    broken.write_bytes(b"binf" + struct.pack("<f", 0.5))
    rows = tmp_path / "rows.csv"
    rows.write_text("1,2,3,4,5,6\n1,2,oops,4,5,6\n")
    for arguments, parts in (
        (("inspect", tmp_path / "nothing"), ("nothing",)),
        (("inspect", broken), ("xgboost-model", "offset")),
        (("predict", "--input", rows, HOUSES[0].archive), ("row 2", "column 3", "oops")),
    ):
        done = thicket(*arguments)
        assert done.returncode == 1, done
        assert done.stderr.startswith("thicket: ") and all(part in done.stderr for part in parts), done.stderr
        assert "panicked" not in done.stderr


@pytest.mark.parametrize(
    "arguments, environment, parts",
    [
        (("--port", "70000"), {}, ("port", "70000")),
        (("--memory-limit", "lots"), {}, ("memory-limit", "lots")),
        ((), {"SAGEMAKER_BIND_TO_PORT": "eighty"}, ("SAGEMAKER_BIND_TO_PORT", "eighty")),
        ((), {"THICKET_MEMORY_LIMIT": "-1"}, ("-1",)),
        (("--models", "ftp://somewhere/models"), {}, ("ftp",)),
        (("--models", "/does/not/exist"), {}, ("/does/not/exist",)),
        (("--cache-dir", "/proc/nowhere"), {}, ("/proc/nowhere",)),
        ((), {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_MULTI_MODEL": "true"}, ("SAGEMAKER_PROGRAM",)),
    ],
)
def test_bad_options_are_refused_by_name(thicket, arguments, environment, parts):
    done = thicket("serve", "--host", "127.0.0.1", *arguments, environment={"SAGEMAKER_BIND_TO_PORT": "0", **environment})
    assert done.returncode in (1, 2), done
    assert "listening" not in done.stdout
    assert all(part in done.stderr for part in parts), done.stderr


def test_every_option_is_documented(thicket, fixtures):
    documentation = (fixtures.parents[1] / "docs" / "configuration.md").read_text()
    usage = thicket("serve", "--help").stdout
    options = set(re.findall(r"--[a-z-]+", usage)) - {"--help"}
    variables = set(re.findall(r"\b(?:THICKET|SAGEMAKER|ORT|MAX)_[A-Z_]+", usage))
    assert len(options) > 10 and len(variables) > 10, usage
    assert [name for name in sorted(options | variables) if f"`{name}`" not in documentation] == []


def test_several_models_answer_their_mean_unless_only_the_first_is_wanted(thicket, fixtures, tmp_path):
    container = fixtures / "container"
    expected = json.loads((container / "expected.json").read_text())
    rows = tmp_path / "rows.csv"
    rows.write_text(expected["rows"])

    def answers(artifact, *options, environment=None):
        done = thicket("predict", *options, "--input", rows, container / artifact, environment=environment)
        assert done.returncode == 0, done.stderr
        return [float(np.float32(line)) for line in done.stdout.split()]

    first = answers("kfold/xgboost-model-0")
    assert answers("kfold") == expected["answers"]["kfold"] != first
    assert answers("kfold", "--ensemble", "false") == first
    assert answers("kfold", environment={"SAGEMAKER_INFERENCE_ENSEMBLE": "no"}) == first
    done = thicket("predict", "--ensemble", "maybe", "--input", rows, container / "kfold")
    assert done.returncode == 2 and "--ensemble: 'maybe'" in done.stderr, done


def test_early_stopping_cuts_as_the_container_of_choice_does(thicket, fixtures, tmp_path):
    container = fixtures / "container"
    expected = json.loads((container / "expected.json").read_text())
    rows = tmp_path / "rows.csv"
    rows.write_text(expected["rows"])
    legacy = thicket("predict", "--best-iteration", "legacy", "--input", rows, container / "stopped")
    assert [float(np.float32(line)) for line in legacy.stdout.split()] == expected["answers"]["stopped"], legacy
    today = thicket("predict", "--input", rows, container / "stopped", environment={"THICKET_BEST_ITERATION": "today"})
    assert today.returncode == 0 and today.stdout != legacy.stdout, today

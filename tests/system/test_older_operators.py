"""What `thicket convert --opset 3` writes is read back: on thicket's kernels, with the bits of the booster itself."""

import subprocess
import tarfile

import numpy as np
import pytest


def run(binary, *arguments):
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", ["0.90", "3.0.5"])
def test_older_operators_answer_as_their_booster_does(binary, fixtures, tmp_path, version):
    with tarfile.open(fixtures / "xgboost" / f"{version}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    checked, older = 0, tmp_path / "older.onnx"
    for rows in sorted(tmp_path.glob("*/*/input.csv")):
        if "categorical" in rows.parent.name:
            continue
        model = next(path for path in sorted(rows.parent.iterdir()) if path.name.startswith(("model.", "xgboost-model")))
        run(binary, "convert", "--opset", "3", model, "-o", older)
        for output in ("margin", "value"):
            command = ("predict", "--output", output, "--input", rows)
            assert run(binary, *command, older) == run(binary, *command, model), f"{model}: {output}"
        checked += 1
    assert "thicket's kernels" in run(binary, "inspect", older)
    assert checked > 20


def test_an_ensemble_of_others_has_margins_only_without_a_post_transform(binary, fixtures, tmp_path):
    answers = {}
    with tarfile.open(fixtures / "onnx_trees" / "sklearn.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    for model in sorted(tmp_path.glob("*/*/model.onnx")):
        command = [binary, "predict", "--input", model.with_name("input.csv"), model]
        margin = subprocess.run([*command, "--output", "margin"], capture_output=True, text=True, timeout=20)
        if margin.returncode:
            assert "only boosters have margins" in margin.stderr or "has no margins" in margin.stderr, margin.stderr
        else:
            assert np.array_equal(margin.stdout.split(), run(*command).split()), model
        answers.setdefault(margin.returncode, []).append(model.parent.name)
    assert len(answers[0]) > 2 and len(answers[1]) > 2, answers

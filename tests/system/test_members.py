"""Boosters whose members were changed by hand: what thicket accepts of them, the installed XGBoost reads the same."""

import json
import struct
import subprocess

import numpy as np
import pytest
import xgboost

from test_random_models import check, write_rows

BASE_SCORES = ("0.125", "1E-1", ".125", "5.", "-1", "1e38", "1e-45", "1e-60", "0000000000.5", "0.000000001", "123456789",
               "+0.125", " 0.125", "0.125x", "0.1e", "", "1,5", "0x1", "inf", "-inf", "nan", "Infinity",
               "1234567891", "0.1234567891", "1.0000000000", "2147483648")  # fmt: skip


@pytest.fixture(scope="module")
def booster():
    random = np.random.default_rng(20200117)
    rows = random.random((60, 4)).astype(np.float32)
    options = {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.5, "seed": 7, "nthread": 1}
    return xgboost.train(options, xgboost.DMatrix(rows, rows.sum(axis=1)), 5)


@pytest.fixture
def ask(binary, tmp_path):
    """The margins that XGBoost and thicket answer for a model file; thicket's complaint instead of its margins."""
    rows = np.random.default_rng(1).random((20, 4)).astype(np.float32)
    write_rows(tmp_path / "rows.csv", rows)

    def ask(content):
        (tmp_path / "model").write_bytes(content)
        theirs = xgboost.Booster(model_file=bytearray(content)).predict(xgboost.DMatrix(rows), output_margin=True)
        command = [binary, "predict", "--output", "margin", "--input", tmp_path / "rows.csv", tmp_path / "model"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        ours = np.array([[float(line)] for line in done.stdout.split()], dtype=np.float32)
        return theirs.reshape(-1, 1), done.stderr if done.returncode else ours

    return ask


def member(form, name, numbers):
    """An array of a tree as the form writes it, and what separates it from the next."""
    if form == "json":
        return f'"{name}":{json.dumps(numbers)},'.encode()
    typed = b"[$d#L" + struct.pack(">q", len(numbers)) + struct.pack(f">{len(numbers)}f", *numbers)
    return b"L" + struct.pack(">q", len(name)) + name.encode() + typed


def doubled(content, form, numbers):
    """The file with the conditions of its first tree given twice: as they are, and before them other ones."""
    name = "split_conditions"
    quoted = f'"{name}":'.encode() if form == "json" else b"L" + struct.pack(">q", len(name)) + name.encode()
    at = content.index(quoted)
    return content[:at] + member(form, name, numbers) + content[at:]


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_of_two_members_of_one_name_xgboosts_counts(booster, ask, form):
    content = bytes(booster.save_raw(form))
    conditions = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["gbtree"]["model"]["trees"][0]["split_conditions"]
    theirs, ours = ask(doubled(content, form, [number + 0.25 for number in conditions]))
    check(form, ours, theirs, 0)
    # In JSON the last counts, which is as it was; in UBJSON the first.
    assert np.array_equal(theirs, ask(content)[0]) == (form == "json")


def test_a_base_score_is_read_as_xgboost_does_or_refused(booster, ask):
    model = json.loads(booster.save_raw("json"))
    accepted = 0
    for text in BASE_SCORES:
        model["learner"]["learner_model_param"]["base_score"] = text
        theirs, ours = ask(json.dumps(model).encode())
        if isinstance(ours, str):
            assert "learner_model_param.base_score" in ours, ours
        else:
            check(text, ours, theirs, 0)
            accepted += 1
    assert accepted == 11


def contributions(binary, folder, content, rows):
    """What thicket answers, or its complaint."""
    write_rows(folder / "rows.csv", rows)
    (folder / "model").write_bytes(content)
    command = [binary, "predict", "--output", "contributions", "--input", folder / "rows.csv", folder / "model"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if done.returncode:
        return done.stderr
    return np.array([line.split(",") for line in done.stdout.split()], dtype=np.float32)


def has_contributions(booster, row):
    """Whether XGBoost has numbers for a row: it answers NaN for some, and fails for others."""
    try:
        return np.isfinite(booster.predict(xgboost.DMatrix(row), pred_contribs=True)).all()
    except xgboost.core.XGBoostError:
        return False


@pytest.mark.parametrize("cover", [0.0, 1e-45, float("nan"), float("inf")])
@pytest.mark.parametrize("place", ["root", "split", "leaf"])
def test_covers_that_no_training_leaves_have_contributions_as_in_xgboost_or_none(booster, binary, tmp_path, place, cover):
    model = json.loads(booster.save_raw("json"))
    tree = model["learner"]["gradient_booster"]["gbtree"]["model"]["trees"][0]
    leaves = [node for node, left in enumerate(tree["left_children"]) if left == -1]
    node = {"root": 0, "split": tree["parents"][leaves[0]], "leaf": leaves[0]}[place]
    tree["sum_hessian"][node] = cover
    content = json.dumps(model).encode()
    damaged, rows = xgboost.Booster(model_file=bytearray(content)), np.random.default_rng(1).random((8, 4))
    ours = contributions(binary, tmp_path, content, rows)
    if isinstance(ours, str):
        assert "no training rows reached a split of tree 0" in ours
        assert not any(has_contributions(damaged, rows[at : at + 1]) for at in range(len(rows)))
    elif all(has_contributions(damaged, rows[at : at + 1]) for at in range(len(rows))):
        theirs = damaged.predict(xgboost.DMatrix(rows), pred_contribs=True)
        assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    else:
        # XGBoost fails on a root of infinite cover, whose shares are numbers all the same.
        assert (place, cover) == ("root", float("inf"))

"""Single-model mode: one model, loaded at the start, answered in the shapes of AWS's server of one model."""

import json
import os
import subprocess
import tarfile

import numpy as np
import pytest

from houses import HOUSES
from http_client import Client
from recordio import read_records

HOUSE = HOUSES[0]


@pytest.fixture
def single(server, tmp_path):
    """Starts a server of one model as the platform does, by variables alone, and returns its client."""

    def start(folder, **environment):
        environment = {"SM_MODEL_DIR": str(folder), "SAGEMAKER_MULTI_MODEL": "", **environment}
        return Client(server("--cache-dir", tmp_path / "cache", environment=environment).url)

    return start


@pytest.fixture
def unpacked(fixtures, tmp_path):
    """Unpacks the model and the rows of an objective: `folder, rows, values`."""

    def unpack(name, count=2):
        with tarfile.open(fixtures / "xgboost" / "3.0.5.tar.gz") as archive:
            read = lambda file: archive.extractfile(f"3.0.5/{name}/{file}").read()
            folder = tmp_path / name
            folder.mkdir()
            (folder / "xgboost-model").write_bytes(read("xgboost-model"))
            rows, value = read("input.csv").decode().splitlines(), json.loads(read("expected.json"))["value"]
        values = np.array(value["data"], dtype=np.float32).reshape(len(rows), -1)[:count].tolist()
        return folder, "\n".join(rows[:count]), [row[0] if len(row) == 1 else row for row in values]

    return unpack


def refused(binary, tmp_path, environment, *arguments):
    """The exit code and the log of a server that does not start."""
    command = [binary, "serve", "--port", "0", "--cache-dir", tmp_path / "cache", *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stderr


def test_a_model_answers_in_its_own_shapes(single, tmp_path):
    client = single(HOUSE.unpack(tmp_path / "model"))
    body, prices = "\n".join(HOUSE.rows), HOUSE.prices
    assert client("GET", "/ping").status == 200
    lines = "".join(f"{price!r}\n" for price in prices)
    scores = [{"score": price} for price in prices]
    for accept, content_type, expected in (
        ({}, "text/csv; charset=utf-8", lines),
        ({"Accept": "*/*"}, "text/csv; charset=utf-8", lines),
        ({"Accept": "text/csv"}, "text/csv; charset=utf-8", lines),
        ({"Accept": "Application/JSON;verbose=True"}, "application/json", json.dumps({"predictions": scores})),
        ({"Accept": "application/jsonlines"}, "application/jsonlines", "".join(f"{json.dumps(s)}\n" for s in scores)),
        ({"Accept": "text/html, application/json;q=0.5"}, "application/json", json.dumps({"predictions": scores})),
    ):
        answer = client.csv("/invocations", body, **accept)
        assert (answer.status, answer.headers["content-type"]) == (200, content_type), answer
        assert answer.body.decode() == expected
    answer = client.csv("/invocations", body, Accept="application/x-recordio-protobuf")
    assert answer.headers["content-type"] == "application/x-recordio-protobuf"
    assert read_records(answer.body) == [{"score": [price]} for price in prices]


def test_classes_stand_side_by_side(single, unpacked):
    folder, rows, values = unpacked("multi_softprob")
    client = single(folder)
    answer = client.csv("/invocations", rows)
    assert answer.body.decode() == "".join(",".join(map(repr, row)) + "\n" for row in values)
    answer = client.csv("/invocations", rows, Accept="application/json")
    assert answer.json == {"predictions": [{"score": row} for row in values]}
    header = {"X_Amzn_SageMaker_Custom_Attributes": "output=margin"}
    assert client.csv("/invocations", rows, **header).body != answer.body


def test_batches_are_lines_whatever_the_accept(single, unpacked):
    folder, rows, values = unpacked("multi_softprob")
    client = single(folder, SAGEMAKER_BATCH="1")
    for accept in ("text/csv", "application/json"):
        answer = client.csv("/invocations", rows, Accept=accept)
        assert answer.body.decode() == "".join(f"{row!r}\n" for row in values)
    parameters = client("GET", "/execution-parameters")
    assert parameters.headers["content-type"] == "application/json"
    assert parameters.json == {
        "MaxConcurrentTransforms": len(os.sched_getaffinity(0)),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


def test_the_default_and_the_largest_payload_are_the_operators(single, tmp_path):
    environment = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json", "MAX_CONTENT_LENGTH": "20971520"}
    client = single(HOUSE.unpack(tmp_path / "model"), **environment)
    assert client.csv("/invocations", HOUSE.rows[0]).json == {"predictions": [{"score": HOUSE.prices[0]}]}
    assert client("GET", "/execution-parameters").json["MaxPayloadInMB"] == 20
    twenty_mb = ",".join(["1"] * 6) + "\n"
    answer = client.csv("/invocations", twenty_mb * (20_000_000 // len(twenty_mb)), Accept="text/csv")
    assert (answer.status, len(answer.body.splitlines())) == (200, 20_000_000 // len(twenty_mb))


def test_mistakes_are_told_in_plain_words(single, tmp_path):
    url = single(HOUSE.unpack(tmp_path / "model"))._connection
    ask = lambda method, path, body=None, **headers: Client(f"http://{url.host}:{url.port}")(method, path, body, **headers)
    for body, headers, status, text in (
        ("", {}, 204, ""),
        ("1,2,x,4,5,6", {}, 415, "Loading csv data failed with Exception, please ensure data is in csv format:"),
        ("1,2,3,4,5,6", {"Content_Type": "text/html"}, 415, "text/html is not an accepted ContentType: "),
        ("1,2,3,4,5,6,7", {}, 400, "Unable to evaluate payload provided: "),
        ("1,2,3,4,5,6", {"Accept": "text/html"}, 406, "Accept type text/html is not supported. Please use supported"
         " accept types: ['application/json', 'application/jsonlines', 'application/x-recordio-protobuf', 'text/csv']."),
    ):
        answer = ask("POST", "/invocations", body, **{"Content_Type": "text/csv", **headers})
        assert answer.status == status and answer.body.decode().startswith(text), answer
        assert status == 204 or answer.headers["content-type"] == "text/plain; charset=utf-8"
    for method, path, status in (
        ("GET", "/invocations", 405),
        ("GET", "/models", 404),
        ("POST", "/models", 404),
        ("POST", "/models/model/invoke", 404),
        ("POST", "/endpoints/any/invocations", 404),
        ("GET", "/nothing", 404),
    ):
        assert ask(method, path).status == status, path
    assert ask("POST", "/invocations", HOUSE.rows[0], Content_Type="text/csv").body.decode() == f"{HOUSE.prices[0]!r}\n"


def test_an_ensemble_votes_on_classes_and_averages_numbers(single, fixtures):
    container = fixtures / "container"
    expected = json.loads((container / "expected.json").read_text())
    lines = lambda folder, **environment: single(folder, **environment).csv("/invocations", expected["rows"]).body.split()
    assert [float(line) for line in lines(container / "kfold")] == expected["answers"]["kfold"]
    first, both = (lines(container / "softmax", SAGEMAKER_INFERENCE_ENSEMBLE=text) for text in ("false", "true"))
    means = expected["answers"]["softmax"]
    assert means == [0.5, 1.0]
    # Two classes of which the mean is known: with the first, the second is; of two that tie the smaller wins.
    assert [float(line) for line in both] == [min(float(one), 2 * mean - float(one)) for one, mean in zip(first, means)]


SELECTED = "predicted_label,labels,probability,probabilities,raw_score,raw_scores,predicted_score"


def test_what_is_selected_of_a_probability(single, unpacked):
    folder, rows, values = unpacked("binary_logistic")
    client = single(folder, SAGEMAKER_INFERENCE_OUTPUT=SELECTED)
    nan = float("nan")
    expected = [
        {
            "predicted_label": int(p > 0.5), "labels": [0, 1], "probability": p, "probabilities": [1 - p, p],
            "raw_score": p, "raw_scores": [1 - p, p], "predicted_score": nan,
        }
        for p in values
    ]
    answer = client.csv("/invocations", rows, Accept="application/json")
    assert answer.body.decode() == json.dumps({"predictions": expected})
    answer = client.csv("/invocations", rows, Accept="application/jsonlines")
    assert answer.body.decode() == "".join(f"{json.dumps(row)}\n" for row in expected)
    cell = lambda value: f'"{value}"' if isinstance(value, list) else str(value)
    answer = client.csv("/invocations", rows)
    assert answer.body.decode() == "\n".join(",".join(cell(row[key]) for key in SELECTED.split(",")) for row in expected)
    answer = client.csv("/invocations", rows, Accept="application/x-recordio-protobuf")
    records = read_records(answer.body)
    assert len(records) == len(expected)
    for record, row in zip(records, expected):
        assert set(record) == set(row)
        for key, value in row.items():
            value = value if isinstance(value, list) else [value]
            assert np.array_equal(record[key], np.array(value, np.float32), equal_nan=True), key


def test_what_is_selected_of_classes_in_the_order_asked_for(single, unpacked):
    folder, rows, values = unpacked("multi_softprob")
    client = single(folder, SAGEMAKER_INFERENCE_OUTPUT=" Probabilities , predicted_label", SAGEMAKER_BATCH="true")
    answer = client.csv("/invocations", rows)
    assert answer.body.decode() == "".join(f'"{row}",{row.index(max(row))}\n' for row in values)
    attributes = {"X_Amzn_SageMaker_Custom_Attributes": "output=margin"}
    assert client.csv("/invocations", rows, **attributes).body.startswith(b"["), "another output is whole"


def test_an_objective_that_has_nothing_to_select_says_so(single, unpacked, server):
    folder, rows, _ = unpacked("count_poisson")
    answer = single(folder, SAGEMAKER_INFERENCE_OUTPUT="predicted_score").csv("/invocations", rows)
    expected = "Objective `count:poisson` unsupported for selectable inference predictions."
    assert (answer.status, answer.body.decode()) == (500, expected)


def test_a_model_that_cannot_be_loaded_ends_the_server(binary, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, why in ((empty, "no model file"), (tmp_path / "nothing", str(tmp_path / "nothing"))):
        code, log = refused(binary, tmp_path, {"SM_MODEL_DIR": str(folder), "SAGEMAKER_MULTI_MODEL": ""})
        assert code == 1 and f"thicket: cannot load the model at {folder}: " in log and why in log, log


@pytest.mark.parametrize("variable", ["SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"])
@pytest.mark.parametrize("multi_model", ["true", ""])
def test_the_users_python_is_refused_by_name(binary, tmp_path, variable, multi_model):
    environment = {variable: "inference.py", "SAGEMAKER_MULTI_MODEL": multi_model}
    code, log = refused(binary, tmp_path, environment)
    assert code == 2 and f"{variable}: 'inference.py'" in log and "runs no Python" in log, log


def test_the_log_says_which_mode_it_is_and_why(server, tmp_path):
    model = HOUSE.unpack(tmp_path / "model")
    cache = ("--cache-dir", tmp_path / "cache")
    unset = {"SAGEMAKER_MULTI_MODEL": "", "SM_MODEL_DIR": ""}
    for arguments, environment, words in (
        (("--model", model), {"SAGEMAKER_MULTI_MODEL": "true"}, ("of one model", "--model names a model")),
        ((), {"SM_MODEL_DIR": str(model)}, ("of one model", "SM_MODEL_DIR is set")),
        ((), {"SM_MODEL_DIR": str(model), "SAGEMAKER_MULTI_MODEL": "false"}, ("of many models", "SAGEMAKER_MULTI_MODEL is set")),
        (("--models", tmp_path), {}, ("serving alone", "--models names a source")),
    ):
        log = server(*cache, *arguments, environment={**unset, **environment}).log()
        assert all(word in log for word in words), log

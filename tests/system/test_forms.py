"""The forms of answers of a server of many models, and how a client's Accept chooses among them."""

import json
import tarfile

import numpy as np
import pytest

from houses import HOUSES, PREFIX
from http_client import Client
from recordio import read_records

HOUSE = HOUSES[0]


@pytest.fixture
def client(server, tmp_path):
    """A container with the house's model and one of three classes, by the names `house` and `classes`."""
    environment = {"SAGEMAKER_MULTI_MODEL": "true"}
    client = Client(server("--cache-dir", tmp_path / "cache", environment=environment).url)
    client("POST", "/models", {"model_name": "house", "url": str(HOUSE.unpack(tmp_path / "house"))})
    return client


@pytest.fixture
def classes(client, fixtures, tmp_path):
    """Loads a model of three classes and returns rows and probabilities."""
    with tarfile.open(fixtures / "xgboost" / "3.0.5.tar.gz") as archive:
        read = lambda name: archive.extractfile(f"3.0.5/multi_softprob/{name}").read()
        folder = tmp_path / "classes"
        folder.mkdir()
        (folder / "xgboost-model").write_bytes(read("xgboost-model"))
        rows, value = read("input.csv").decode().splitlines(), json.loads(read("expected.json"))["value"]
    client("POST", "/models", {"model_name": "classes", "url": str(folder)})
    return rows[:2], np.array(value["data"], dtype=np.float32).reshape(len(rows), 3)[:2].tolist()


def test_rows_are_lines_or_records(client, classes):
    rows, probabilities = classes
    for name, body, answers in (("house", HOUSE.rows, HOUSE.prices), ("classes", rows, probabilities)):
        ask = lambda accept: client.csv(f"/models/{name}/invoke", "\n".join(body), Accept=accept)
        answer = ask("application/jsonlines")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/jsonlines")
        assert answer.body.decode() == "".join(f"{json.dumps(row)}\n" for row in answers)
        answer = ask("application/x-recordio-protobuf")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/x-recordio-protobuf")
        assert read_records(answer.body) == [{"score": row if isinstance(row, list) else [row]} for row in answers]


def test_the_most_wanted_form_is_sent(client):
    for accept, content_type in (
        # As the SDK's PandasDeserializer asks: it would take a line of CSV for column names.
        ("text/csv, application/json", "application/json"),
        ("application/jsonlines, text/csv", "application/jsonlines"),
        ("text/csv;q=0.5, application/jsonlines;q=0.9, */*;q=0.1", "application/jsonlines"),
        ("application/json;q=0, application/*", "application/jsonlines"),
        ("*/*, text/csv;q=0.9", "application/json"),
        ("TEXT/CSV", "TEXT/CSV"),
    ):
        answer = client.csv("/models/house/invoke", HOUSE.rows[0], Accept=accept)
        assert (answer.status, answer.headers["content-type"]) == (200, content_type), accept
    refused = client.csv("/models/house/invoke", HOUSE.rows[0], Accept="application/json;q=0, image/png")
    assert refused.status == 406 and "application/x-recordio-protobuf" in refused.json["message"], refused


def test_the_platform_has_every_form_and_the_operators_default(server, tmp_path):
    environment = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/jsonlines"}
    alone = Client(server("--models", PREFIX, "--cache-dir", tmp_path / "cache", environment=environment).url)
    header = {"X_Amzn_SageMaker_Target_Model": HOUSE.target}
    body = "\n".join(HOUSE.rows)
    answer = alone.csv("/endpoints/houses/invocations", body, **header)
    assert answer.headers["content-type"] == "application/jsonlines"
    assert [json.loads(line) for line in answer.body.splitlines()] == HOUSE.prices
    answer = alone.csv("/endpoints/houses/invocations", body, Accept="application/x-recordio-protobuf", **header)
    assert read_records(answer.body) == [{"score": [price]} for price in HOUSE.prices]

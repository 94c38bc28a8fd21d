"""Container mode as SageMaker drives it: load, list, invoke, unload, with the texts of AWS's container."""

import json
import socket
import tarfile
import threading
from urllib.parse import quote

import numpy as np
import pytest

from houses import HOUSES
from http_client import Client


@pytest.fixture
def container(server, tmp_path):
    """A server without models, as the platform starts it."""
    return server("--cache-dir", tmp_path / "cache", environment={"SAGEMAKER_MULTI_MODEL": "true"})


@pytest.fixture
def client(container):
    return Client(container.url)


def load(client, name, folder):
    return client("POST", "/models", {"model_name": name, "url": str(folder)})


def test_ping_and_an_empty_list(client):
    assert client("GET", "/ping").body == b'{\n  "status": "Healthy"\n}\n'
    assert client("GET", "/models").body == b'{\n  "models": []\n}\n'


def test_execution_parameters(client):
    answer = client("GET", "/execution-parameters")
    expected = b'{\n  "MaxConcurrentTransforms": 1,\n  "BatchStrategy": "MULTI_RECORD",\n  "MaxPayloadInMB": 6\n}'
    assert (answer.status, answer.body) == (200, expected)


def test_the_life_of_a_model(client, tmp_path):
    house = HOUSES[0]
    folder = house.unpack(tmp_path / "opt" / "ml" / "models" / "0123abcd" / "model")
    answer = load(client, "0123abcd", folder)
    assert (answer.status, answer.body) == (200, b'{\n  "status": "Workers scaled"\n}\n')
    assert client("GET", "/models").json == {"models": [{"modelName": "0123abcd", "modelUrl": str(folder)}]}
    described = client("GET", "/models/0123abcd")
    assert described.status == 200 and json.dumps(described.json).count(str(folder)) == 1

    header = {"X_Amzn_SageMaker_Target_Model": house.target}
    answer = client.csv("/models/0123abcd/invoke", "\n".join(house.rows), **header)
    assert (answer.status, answer.json, answer.headers["content-type"]) == (200, house.prices, "application/json")
    answer = client.csv("/models/0123abcd/invoke", "\n".join(house.rows[:2]), Accept="text/csv")
    assert answer.body.decode() == ",".join(map(repr, house.prices[:2]))

    again = load(client, "0123abcd", folder)
    assert (again.status, again.json["type"]) == (409, "ConflictStatusException")
    assert again.json["message"] == "Model 0123abcd is already registered."

    client = Client(f"http://{client._connection.host}:{client._connection.port}")
    gone = client("DELETE", "/models/0123abcd")
    assert (gone.status, gone.json) == (200, {"status": 'Model "0123abcd" unregistered'})
    for method, path in (("POST", "/models/0123abcd/invoke"), ("GET", "/models/0123abcd"), ("DELETE", "/models/0123abcd")):
        answer = Client(f"http://{client._connection.host}:{client._connection.port}")(method, path, b"1,2,3,4,5,6")
        assert (answer.status, answer.json["message"]) == (404, "Model not found: 0123abcd")


def test_two_models_are_listed_in_order_and_answer_apart(client, tmp_path):
    for name, house in zip(("b", "a"), HOUSES):
        assert load(client, name, house.unpack(tmp_path / name)).status == 200
    assert [model["modelName"] for model in client("GET", "/models").json["models"]] == ["a", "b"]
    for name, house in zip(("b", "a"), HOUSES):
        assert client.csv(f"/models/{name}/invoke", house.rows[0]).json == [house.prices[0]]


def test_a_load_that_fails_says_so_and_leaves_nothing(container, tmp_path):
    client = lambda *arguments: Client(container.url)(*arguments)
    empty = tmp_path / "empty"
    empty.mkdir()
    garbage = tmp_path / "garbage"
    garbage.mkdir()
    (garbage / "xgboost-model").write_text("no model at all")
    missing = load(client, "m", "/does/not/exist")
    assert (missing.status, missing.json["message"]) == (404, "Model not found in model store: /does/not/exist")
    for folder, why in ((empty, "no model file"), (garbage, "xgboost-model")):
        answer = load(client, "m", folder)
        assert answer.status == 500 and why in answer.json["message"], answer
    assert load(client, "m", "relative/../path").status == 404
    assert client("GET", "/models").json == {"models": []}


def crowded(server, tmp_path, *options):
    """Starts a container whose memory holds one model."""
    words = ["--cache-dir", tmp_path / "cache", "--memory-limit", "200000", *options]
    return server(*words, environment={"SAGEMAKER_MULTI_MODEL": "1"})


def test_what_was_loaded_stays_loaded_when_its_memory_is_let_go(server, tmp_path):
    client = Client(crowded(server, tmp_path).url)
    for house in HOUSES:
        assert load(client, house.target, house.unpack(tmp_path / house.target)).status == 200
    paths = {house.target: f"/models/{quote(house.target, safe='')}" for house in HOUSES}
    for house in HOUSES * 3:
        answer = client.csv(f"{paths[house.target]}/invoke", house.rows[0])
        assert (answer.status, answer.json) == (200, [house.prices[0]])
    assert {model["modelName"] for model in client("GET", "/models").json["models"]} == set(paths)
    used = [client("GET", path).json["workers"][0]["memoryUsage"] for path in paths.values()]
    assert sum(size > 0 for size in used) == 1, used
    away = next(path for path, size in zip(paths.values(), used, strict=True) if size == 0)
    assert client("DELETE", away).status == 200
    assert client.csv(f"{away}/invoke", HOUSES[0].rows[0]).status == 404


def test_a_model_for_which_nothing_can_be_let_go_is_507(server, tmp_path):
    container = crowded(server, tmp_path, "--pin", "a")
    assert load(Client(container.url), "a", HOUSES[0].unpack(tmp_path / "a")).status == 200
    answer = load(Client(container.url), "b", HOUSES[1].unpack(tmp_path / "b"))
    assert answer.status == 507, answer
    assert Client(container.url)("DELETE", "/models/a").status == 200
    assert load(Client(container.url), "b", tmp_path / "b").status == 200


def test_bad_input_gets_a_status_that_says_whose_fault_it_is(container, tmp_path):
    house = HOUSES[0]
    assert load(Client(container.url), "m", house.unpack(tmp_path / "m")).status == 200

    def invoke(body, **headers):
        return Client(container.url)("POST", "/models/m/invoke", body, **{"Content_Type": "text/csv", **headers})

    for body, status, parts in (
        ("1,2,3", 400, ("3", "6")),
        ("1,2,3,4,5,6\n1,2,3,4,5", 415, ("row 2", "6", "5")),
        ("1,2,x,4,5,6", 415, ("row 1", "column 3", "x")),
        ("1,2,inf,4,5,6", 415, ("row 1", "column 3")),
        ("1,2,1e39,4,5,6", 415, ("row 1", "column 3")),
    ):
        answer = invoke(body)
        assert answer.status == status, answer
        assert all(part in answer.json["message"] for part in parts), answer
    assert invoke("1,2,3,4,5,6", Content_Type="application/x-parquet").status == 415
    assert invoke("1,2,3,4,5,6", Accept="text/html").status == 406
    assert invoke(house.rows[0]).json == [house.prices[0]], "after all of that the model still answers"


def test_sigterm_lets_requests_in_flight_finish(container, tmp_path):
    house = HOUSES[0]
    assert load(Client(container.url), "m", house.unpack(tmp_path / "m")).status == 200
    client, answers = Client(container.url), []
    body = "\n".join(house.rows * 200)
    half = len(body) // 2
    connection = client._connection
    connection.putrequest("POST", "/models/m/invoke")
    connection.putheader("Content-Type", "text/csv")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:half].encode())
    idle = socket.create_connection(("127.0.0.1", container.port), timeout=30)
    stopping = threading.Thread(target=lambda: answers.append(container.stop()))
    stopping.start()
    assert idle.recv(1) == b"", "the server closes what is idle"
    connection.send(body[half:].encode())
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (200, house.prices * 200)
    stopping.join()
    assert answers == [0]


def test_a_client_may_ask_for_another_output(client, fixtures, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    with tarfile.open(fixtures / "xgboost" / "3.0.5.tar.gz") as archive:
        read = lambda name: archive.extractfile(f"3.0.5/multi_softprob/{name}").read()
        (folder / "xgboost-model").write_bytes(read("xgboost-model"))
        rows, expected = read("input.csv").decode().splitlines()[:4], json.loads(read("expected.json"))
    load(client, "classes", folder)

    def ask(attributes, **headers):
        headers = {"X_Amzn_SageMaker_Custom_Attributes": attributes, **headers}
        return client.csv("/models/classes/invoke", "\n".join(rows), **headers)

    explained = json.loads((fixtures / "xgboost_contributions" / "3.0.5.json").read_text())["multi_softprob"]
    expected = {
        "value": np.array(expected["value"]["data"]).reshape(32, 3),
        "margin": np.array(expected["margin"]["data"]).reshape(32, 3),
        "leaf": np.array(expected["leaf"]["data"]).reshape(32, -1),
        "contributions": np.array(explained["data"]).reshape(explained["shape"]),
    }
    for output, numbers in expected.items():
        answer = ask(f"trace=7; output={output}")
        assert answer.status == 200, answer
        found = np.array(answer.json)
        assert found.shape == numbers[:4].shape, output
        assert np.allclose(found, numbers[:4], rtol=1e-5, atol=1e-5), output
    assert ask("anything at all").json == ask("output=value").json
    assert ask("output=contributions", Accept="text/csv").body.startswith(b"[[")
    refused = ask("output=shap")
    assert (refused.status, refused.json["type"]) == (400, "BadRequestException")
    assert '"shap"' in refused.json["message"] and "contributions" in refused.json["message"]


def test_an_output_that_the_model_lacks_is_the_clients_mistake(client, fixtures, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes((fixtures / "onnx" / "dense" / "model.onnx").read_bytes())
    load(client, "dense", folder)
    row = (fixtures / "onnx" / "dense" / "input.csv").read_text().splitlines()[0]
    header = {"X_Amzn_SageMaker_Custom_Attributes": "output=contributions"}
    refused = client.csv("/models/dense/invoke", row, **header)
    assert (refused.status, refused.json["type"]) == (400, "BadRequestException")
    assert "only boosters" in refused.json["message"]

"""The control plane beyond what is on record: names, places, loads that overlap, memory that comes back."""

import json
import os
import re
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from urllib.parse import quote

import pytest

import golden
from houses import HOUSES
from http_client import Client

LOADED = {"status": "Workers scaled"}


@pytest.fixture
def container(server, tmp_path):
    """Starts a server without models, as the platform does."""

    def start(*options, **environment):
        environment = {"SAGEMAKER_MULTI_MODEL": "true", **environment}
        return server("--cache-dir", tmp_path / "cache", *options, environment=environment)

    return start


def ask(container, *arguments, **headers):
    """Sends one request over a connection of its own: errors end theirs."""
    return Client(container.url)(*arguments, **headers)


def load(container, name, folder):
    return ask(container, "POST", "/models", {"model_name": name, "url": str(folder)})


def invoke(container, name, body, **headers):
    return ask(container, "POST", f"/models/{quote(name, safe='')}/invoke", body, **{"Content_Type": "text/csv", **headers})


def test_names_are_opaque_and_split_before_they_are_decoded(container, tmp_path):
    running, house = container(), HOUSES[0]
    folder = house.unpack(tmp_path / "a..b" / "with space")
    names = ["NY/a b.tar.gz", "100%", "é", "models", "..", "a+b", "x" * 1024]
    for name in names:
        assert load(running, name, folder).json == LOADED, name
        assert invoke(running, name, house.rows[0]).json == [house.prices[0]], name
    listed = ask(running, "GET", "/models").json["models"]
    assert [model["modelName"] for model in listed] == sorted(names)
    for name in names:
        assert ask(running, "GET", f"/models/{quote(name, safe='')}").json["modelName"] == name
        assert ask(running, "DELETE", f"/models/{quote(name, safe='')}").json == {"status": f'Model "{name}" unregistered'}
    assert ask(running, "GET", "/models/a%2").status == 400


def test_only_absolute_paths_of_this_machine_are_loaded(container, tmp_path):
    running, folder = container(), HOUSES[0].unpack(tmp_path / "model")
    for url in (f"file://{folder}", "s3://bucket/model", "http://127.0.0.1/model.mar", "model", f"{tmp_path}/x/../model", ""):
        answer = load(running, "m", url)
        assert answer.status == (404 if url else 400), url
    query = f"url={quote(str(folder), safe='')}&model_name=by+query"
    assert ask(running, "POST", f"/models?{query}").json == LOADED
    nameless = ask(running, "POST", "/models", {"url": str(folder)})
    assert nameless.json == LOADED
    assert [model["modelName"] for model in ask(running, "GET", "/models").json["models"]] == ["by query", "model"]


def test_a_model_is_described_and_its_workers_agreed_to(container, tmp_path):
    running, folder = container(), HOUSES[0].unpack(tmp_path / "model")
    load(running, "m", folder)
    described = ask(running, "GET", "/models/m")
    worker = described.json["workers"][0]
    assert (described.json["runtime"], worker["status"]) == ("forest", "READY")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", worker["startTime"])
    cached = [path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert worker["memoryUsage"] in cached
    scaled = ask(running, "PUT", "/models/m?min_worker=2")
    assert (scaled.status, scaled.json) == (202, {"status": "Processing worker updates..."})
    scaled = ask(running, "PUT", "/models/m?min_worker=2&synchronous=True")
    assert (scaled.status, scaled.json) == (200, LOADED)
    refused = ask(running, "PUT", "/models/m?min_worker=2&max_worker=1")
    assert (refused.status, refused.json["message"]) == (400, "max_worker cannot be less than min_worker.")
    assert ask(running, "PUT", "/models/none?min_worker=2").status == 404


def test_a_model_may_have_the_name_of_a_route(container, tmp_path):
    running, house = container(), HOUSES[0]
    folder = house.unpack(tmp_path / "model")
    for name in ("ping", "metrics", "ready", "execution-parameters", "invocations", "models", "predict", "invoke"):
        assert load(running, name, folder).json == LOADED
        for path in (f"/models/{name}/invoke", f"/predictions/{name}", f"/invocations?model_name={name}"):
            assert ask(running, "POST", path, house.rows[0], Content_Type="text/csv").json == [house.prices[0]], path
        assert ask(running, "GET", f"/models/{name}").json["modelName"] == name
        assert ask(running, "DELETE", f"/models/{name}").status == 200
    assert ask(running, "GET", "/ping").json == {"status": "Healthy"}


def test_the_document_of_the_routes_is_true(container, tmp_path):
    running = container()
    document = ask(running, "OPTIONS", "/")
    assert document.status == 200 and document.headers["content-type"] == "application/json"
    load(running, "m", HOUSES[0].unpack(tmp_path / "model"))
    asked = 0
    for path, methods in document.json["paths"].items():
        for method in methods.keys() - {"parameters", "delete"}:
            answer = ask(running, method.upper(), path.replace("{model_name}", "m"))
            expected = {*methods[method]["responses"], "204", "400"}
            assert str(answer.status) in expected, (method, path, answer)
            asked += 1
    assert asked == 9
    assert ask(running, "OPTIONS", "/models/m/invoke").body == document.body


def test_loads_overlap_and_a_name_is_taken_while_its_load_goes_on(container, tmp_path):
    running, house = container(), HOUSES[0]
    small = house.unpack(tmp_path / "small")
    large = tmp_path / "large"
    large.mkdir()
    # An ensemble takes as long as its members together: enough to outlast a single one by far.
    for member in range(300):
        os.link(small / "xgboost-model", large / f"xgboost-model-{member:03}")
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(load, running, "large", large) for _ in range(2)]
        (refused,), (loading,) = wait(both, timeout=30, return_when=FIRST_COMPLETED)
        answer = refused.result()
        assert (answer.status, answer.json["message"]) == (409, "Model large is already registered.")
        assert load(running, "small", small).json == LOADED
        assert invoke(running, "small", house.rows[0]).json == [house.prices[0]]
        assert not loading.done(), "the small model waited for the large one"
        listed = ask(running, "GET", "/models").json["models"]
        assert [model["modelName"] for model in listed] == ["small"], "what is listed answers"
        assert loading.result().json == LOADED
    assert invoke(running, "large", house.rows[0]).status == 200


def test_unloading_returns_when_the_memory_is_back(container, tmp_path):
    running = container()
    mapped = lambda: [line for line in Path(f"/proc/{running.pid}/maps").read_text().splitlines() if str(tmp_path) in line]
    for house in HOUSES:
        assert load(running, house.name, house.unpack(tmp_path / house.name)).json == LOADED
        assert invoke(running, house.name, house.rows[0]).status == 200
    assert len(mapped()) >= len(HOUSES)
    for left, house in reversed(list(enumerate(HOUSES))):
        before = len(mapped())
        assert ask(running, "DELETE", f"/models/{house.name}").status == 200
        assert len(mapped()) < before and bool(mapped()) == bool(left)
        assert invoke(running, house.name, house.rows[0]).status == 404


@pytest.mark.parametrize("compat", ["intended", "strict"])
def test_no_request_is_lost_after_bad_ones(container, tmp_path, compat):
    running, house = container("--compat", compat), HOUSES[0]
    load(running, "m", house.unpack(tmp_path / "m"))
    bad = [
        ("a,b,c,d,e,f", {}),
        ("", {}),
        ("1,2,3,4,5,6,7", {}),
        ("1,2,3,4,5,6", {"Content_Type": "application/x-parquet"}),
        ("1,2,3,4,5,6", {"Accept": "text/html"}),
    ]
    keeping = Client(running.url)
    for _ in range(10):
        refused = [invoke(running, "m", body, **headers) for body, headers in bad]
        strict = [503] * 5
        assert [answer.status for answer in refused] == (strict if compat == "strict" else [415, 204, 400, 415, 406])
        assert [invoke(running, "m", row).json for row in house.rows[:2]] == [[price] for price in house.prices[:2]]
        assert keeping.csv("/models/m/invoke", house.rows[0]).json == [house.prices[0]], "nor on another's connection"


def test_a_load_that_fails_leaves_nothing(container, tmp_path):
    running, house = container(), HOUSES[0]
    broken = house.unpack(tmp_path / "model")
    model = broken / "xgboost-model"
    whole = model.read_bytes()
    model.write_bytes(whole[: len(whole) // 2])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: load(running, "m", broken), range(16)))
    # Each is refused for what the model is, or for the load that tells this to another.
    assert {answer.status for answer in answers} <= {500, 409} and 500 in {answer.status for answer in answers}
    assert ask(running, "GET", "/models").json == {"models": []}
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size] == []
    model.write_bytes(whole)
    assert load(running, "m", broken).json == LOADED


def test_to_the_letter_short_rows_are_filled_up(container, tmp_path):
    models = golden.unpack(tmp_path / "models")
    strict, intended = container(THICKET_COMPAT="strict"), container()
    for running in (strict, intended):
        for name in ("reg", "regpkl"):
            assert load(running, name, models / name).json == LOADED
    short = json.loads("[0.5217326283454895]")
    assert invoke(strict, "reg", "0.1").json == short
    # So many rows are filled up in several blocks.
    many = invoke(strict, "reg", "0.1\n" * 300_000)
    assert many.json == short * 300_000
    assert invoke(strict, "regpkl", "0.1,0.2,0.3").status == 200
    assert invoke(strict, "regpkl", "0.1,0.2").status == 503
    for body in ("0.1", "0.1,0.2,0.3,0.4,0.5"):
        refused = invoke(intended, "reg", body)
        assert refused.status == 400
        sent = str(body.count(",") + 1)
        assert f"inference data {sent} is not" in refused.json["message"] and "trained model 4." in refused.json["message"]


def test_to_the_letter_no_header_is_looked_at_that_aws_overlooks(container, tmp_path):
    running, house = container("--compat", "strict"), HOUSES[0]
    load(running, "m", house.unpack(tmp_path / "m"))
    wish = {"X_Amzn_SageMaker_Custom_Attributes": "output=shap"}
    assert invoke(running, "m", house.rows[0], **wish).json == [house.prices[0]]
    target = {"X_Amzn_SageMaker_Target_Model": "m"}
    answer = ask(running, "POST", "/invocations", house.rows[0], Content_Type="text/csv", **target)
    assert (answer.status, answer.json["message"]) == (400, "Parameter model_name is required.")

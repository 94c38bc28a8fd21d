"""What the log says of loads and failures, and what neither it, nor /metrics, nor an error ever says."""

import asyncio
import json
import re

import pytest

from houses import HOUSES, PREFIX
from http_client import Client
from raw_client import exchange, statuses
from s3_server import ACCESS_KEY, SECRET_KEY

STEPS = ("wait", "locate", "fetch", "unpack", "convert", "verify", "publish", "reserve", "map")


def invoke(url, target, rows):
    return Client(url).csv("/invocations", rows, X_Amzn_SageMaker_Target_Model=target)


def events(process):
    """The log's lines, each a JSON object."""
    return [json.loads(line) for line in process.log().splitlines() if line.startswith('{"timestamp"')]


def test_a_load_is_one_line_with_its_steps(server, tmp_path):
    arguments = ("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--log", "json")
    house = HOUSES[0]
    for taken in (STEPS, ("wait", "locate", "reserve", "map")):
        process = server(*arguments)
        assert invoke(process.url, house.target, house.rows[0]).status == 200
        assert process.stop() == 0
        (loaded,) = [event for event in events(process) if event["message"] == "loaded"]
        assert (loaded["model"], loaded["runtime"]) == (house.target, "forest")
        assert loaded["bytes"] > 0 and loaded["cached"] == (taken != STEPS)
        times = {name.removesuffix("_us"): value for name, value in loaded.items() if name.endswith("_us")}
        assert times.keys() == {*taken, "total"}
        assert sum(times[step] for step in taken) <= times["total"] + len(taken)


def test_why_another_engine_runs_a_model_stands_in_its_line(server, fixtures, tmp_path):
    process = server("--cache-dir", tmp_path / "cache", "--log", "json", environment={"SAGEMAKER_MULTI_MODEL": "1"})
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes((fixtures / "onnx" / "dense" / "model.onnx").read_bytes())
    assert Client(process.url)("POST", "/models", {"model_name": "dense", "url": str(folder)}).status == 200
    assert process.stop() == 0
    (loaded,) = [event for event in events(process) if event["message"] == "loaded"]
    assert loaded["runtime"] == "onnxruntime" and loaded["fallback"], loaded


def test_requests_are_logged_when_asked_for_under_the_id_that_the_client_got(server, tmp_path):
    process = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--log", "json", "--log-level", "debug")
    house = HOUSES[0]
    answer = invoke(process.url, house.target, house.rows[0])
    refused = invoke(process.url, house.target, "1,2,x,4,5,6\n")
    assert process.stop() == 0
    answered = {event["request_id"]: event for event in events(process) if event["message"] == "request answered"}
    event = answered[answer.headers["x-request-id"]]
    assert (event["route"], event["status"], event["sent_bytes"]) == ("invoke", 200, len(answer.body))
    assert event["duration_us"] > 0
    (event,) = [event for event in events(process) if event["message"] == "request refused"]
    assert event["request_id"] == refused.headers["x-request-id"] and "column 3" in event["reason"]


def test_a_clients_mistake_is_no_error_of_this_side(server, tmp_path):
    process = server("--cache-dir", tmp_path / "cache", "--log", "json", "--log-level", "debug", environment={"SAGEMAKER_MULTI_MODEL": "1"})
    assert Client(process.url)("POST", "/execution-parameters").status == 500
    assert Client(process.url)("POST", "/models", b"{bad", Content_Type="application/json").status == 500
    assert statuses(asyncio.run(exchange(process.port, b"GET / HTTP/1.1\r\n\r\n"))) == [400]
    assert process.stop() == 0
    refused = [event for event in events(process) if "refused" in event["message"]]
    assert [event["message"] for event in refused] == ["request refused"] * 2 + ["refused before it was a request"]
    assert refused[2].keys().isdisjoint({"method", "path"}) and "no Host" in refused[2]["reason"]
    assert not [event for event in events(process) if event["level"] == "ERROR"]


@pytest.mark.parametrize("secret", [SECRET_KEY, "a wrong secret that nobody may read"])
def test_credentials_and_paths_stay_where_they_are(server, s3, tmp_path, secret):
    name = f"secrets-{len(secret)}"
    s3.client().create_bucket(Bucket=name)
    s3.client().upload_file(str(HOUSES[0].archive), name, f"houses/{HOUSES[0].target}")
    s3.client().put_object(Bucket=name, Key="houses/broken", Body=b"no model at all")
    token = "a session token that nobody may read"
    environment = {**s3.environment, "AWS_SECRET_ACCESS_KEY": secret, "RUST_LOG": "trace"}
    if secret != SECRET_KEY:
        environment["AWS_SESSION_TOKEN"] = token
    cache = tmp_path / "a-cache-that-clients-do-not-know"
    arguments = ("--models", f"s3://{name}/houses", "--cache-dir", cache, "--log-level", "trace")
    process = server(*arguments, "--emf", "tests", environment=environment)
    house = HOUSES[0]
    answers = [invoke(process.url, target, house.rows[0]) for target in (house.target, "broken", "none", "../x")]
    header = {"X_Amzn_SageMaker_Target_Model": "broken"}
    answers.append(Client(process.url).csv("/endpoints/any/invocations", "1", **header))
    answers.append(Client(process.url)("POST", "/models", {"model_name": "m", "url": str(tmp_path)}))
    answers.append(Client(process.url)("GET", "/metrics"))
    expected = 200 if secret == SECRET_KEY else 503
    assert answers[0].status == expected and answers[1].status >= 500
    assert process.stop() == 0

    told = [f"{answer.headers} {answer.body.decode()}" for answer in answers]
    for text in (process.log(), *told):
        for hidden in (secret, token, ACCESS_KEY, "Signature=", "AWS4-HMAC"):
            assert hidden not in text, hidden
    for text in told:
        assert cache.name not in text and not re.search(r"/(tmp|home|root|work)/(?!.*model_name)", text), text

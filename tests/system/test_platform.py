"""Stand-alone mode as boto3 sees it: the four cities from a real S3 server, invoked by TargetModel."""

import json
import os
import subprocess
import time
import uuid

import pytest

from houses import HOUSES
from http_client import Client
from runtime_client import runtime_client


@pytest.fixture
def bucket(s3):
    """A bucket that holds the four archives under `houses/`."""
    name = f"models-{uuid.uuid4().hex[:12]}"
    client = s3.client()
    client.create_bucket(Bucket=name)
    for house in HOUSES:
        client.upload_file(str(house.archive), name, f"houses/{house.target}")
    return name


@pytest.fixture
def endpoint(server, s3, bucket, tmp_path):
    """A server over the bucket."""
    return server("--models", f"s3://{bucket}/houses", "--cache-dir", tmp_path / "cache", environment=s3.environment)


@pytest.fixture
def runtime(endpoint):
    return runtime_client(endpoint.url)


def invoke(runtime, target, body, **options):
    options = {"EndpointName": "houses", "ContentType": "text/csv", **options}
    return runtime.invoke_endpoint(TargetModel=target, Body=body, **options)


def refused(call):
    """The error that the call raises, as its class's name and what boto3 parsed."""
    with pytest.raises(Exception) as raised:
        call()
    return type(raised.value).__name__, raised.value.response


def test_every_city_answers_as_xgboost_did_cold_and_warm(runtime, endpoint):
    for attempt in ("cold", "warm"):
        for house in HOUSES:
            response = invoke(runtime, house.target, "\n".join(house.rows))
            assert response["ContentType"] == "application/json"
            assert json.loads(response["Body"].read()) == house.prices, f"{house.name}, {attempt}"
    assert endpoint.log().count('"loaded"') + endpoint.log().count(" loaded ") == len(HOUSES), endpoint.log()


def test_the_answer_comes_as_csv_when_it_is_asked_for(runtime):
    house = HOUSES[0]
    response = invoke(runtime, house.target, "\n".join(house.rows[:2]), Accept="text/csv")
    assert response["ContentType"] == "text/csv"
    assert response["Body"].read().decode() == ",".join(repr(price) for price in house.prices[:2])


def test_a_list_of_accepted_types_is_understood(runtime):
    response = invoke(runtime, HOUSES[0].target, HOUSES[0].rows[0], Accept="text/csv, application/json")
    assert response["ContentType"] == "application/json"
    assert json.load(response["Body"]) == HOUSES[0].prices[:1]


def test_an_unknown_model_is_the_callers_error(runtime, bucket):
    name, response = refused(lambda: invoke(runtime, "nowhere/model.tar.gz", "1,2,3,4,5,6"))
    assert name == "ValidationError"
    assert "nowhere/model.tar.gz" in response["Error"]["Message"]


def test_names_that_lead_elsewhere_are_unknown_models(runtime):
    for target in ("../houses/" + HOUSES[0].target, "/" + HOUSES[0].target, ".hidden"):
        name, _ = refused(lambda target=target: invoke(runtime, target, "1,2,3,4,5,6"))
        assert name == "ValidationError", target


def test_wrong_columns_are_a_model_error_that_names_both_numbers(runtime):
    name, response = refused(lambda: invoke(runtime, HOUSES[0].target, "1,2,3"))
    assert name == "ModelError"
    assert response["OriginalStatusCode"] == 400
    assert "3" in response["OriginalMessage"] and "6" in response["OriginalMessage"]


def test_a_bad_cell_is_a_model_error_that_names_its_place(runtime):
    name, response = refused(lambda: invoke(runtime, HOUSES[0].target, "1,2,3,4,5,6\n1,2,three,4,5,6"))
    assert (name, response["OriginalStatusCode"]) == ("ModelError", 415)
    for part in ("row 2", "column 3", "three"):
        assert part in response["OriginalMessage"], response["OriginalMessage"]


def test_a_damaged_archive_is_a_model_error_and_others_are_served(runtime, s3, bucket):
    s3.client().put_object(Bucket=bucket, Key="houses/broken.tar.gz", Body=HOUSES[0].archive.read_bytes()[:5000])
    name, response = refused(lambda: invoke(runtime, "broken.tar.gz", "1,2,3,4,5,6"))
    assert (name, response["OriginalStatusCode"]) == ("ModelError", 500)
    assert "archive" in response["OriginalMessage"] or "xgboost-model" in response["OriginalMessage"]
    assert json.loads(invoke(runtime, HOUSES[1].target, HOUSES[1].rows[0])["Body"].read()) == [HOUSES[1].prices[0]]


def test_a_missing_target_is_the_callers_error(runtime):
    name, _ = refused(lambda: runtime.invoke_endpoint(EndpointName="houses", Body="1,2,3,4,5,6"))
    assert name == "ValidationError"


def test_local_mode_posts_to_invocations(endpoint):
    client = Client(endpoint.url)
    header = {"X_Amzn_SageMaker_Target_Model": HOUSES[2].target}
    answer = client.csv("/invocations", HOUSES[2].rows[0], **header)
    assert (answer.status, answer.json) == (200, [HOUSES[2].prices[0]])


def test_models_come_back_from_the_cache_while_s3_has_them_and_after_a_restart(server, s3, bucket, tmp_path):
    arguments = ("--models", f"s3://{bucket}/houses", "--cache-dir", tmp_path / "cache")
    for _ in range(2):
        process = server(*arguments, environment=s3.environment)
        house = HOUSES[3]
        answer = invoke(runtime_client(process.url), house.target, house.rows[0])
        assert json.loads(answer["Body"].read()) == [house.prices[0]]
        assert process.stop() == 0


def test_more_models_than_memory(server, s3, bucket, tmp_path):
    process = server(
        "--models", f"s3://{bucket}/houses", "--cache-dir", tmp_path / "cache", "--memory-limit", "150000",
        environment=s3.environment,
    )
    runtime = runtime_client(process.url)
    for _ in range(3):
        for house in HOUSES:
            assert json.loads(invoke(runtime, house.target, house.rows[0])["Body"].read()) == [house.prices[0]]
    assert len(Client(process.url)("GET", "/models").json["models"]) < len(HOUSES)
    assert 'reason="room"' in process.log()


def test_what_was_asked_for_is_loaded_at_the_next_start(server, s3, bucket, tmp_path):
    arguments = ("--models", f"s3://{bucket}/houses", "--cache-dir", tmp_path / "cache")
    process = server(*arguments, environment=s3.environment)
    for house in HOUSES[:2]:
        invoke(runtime_client(process.url), house.target, house.rows[0])
    assert process.stop() == 0
    client = Client(server(*arguments, environment=s3.environment).url)
    end = time.monotonic() + 10
    while {model["modelName"] for model in client("GET", "/models").json["models"]} != {house.target for house in HOUSES[:2]}:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_unreachable_store_is_no_fault_of_the_caller(server, tmp_path):
    environment = {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "a secret nobody may read",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    process = server("--models", "s3://bucket/houses", "--cache-dir", tmp_path / "cache", environment=environment)
    name, response = refused(lambda: invoke(runtime_client(process.url), HOUSES[0].target, HOUSES[0].rows[0]))
    assert name in ("ServiceUnavailable", "ServiceUnavailableException"), response
    assert "a secret" not in json.dumps(response, default=str) + process.log()


def test_a_prefix_is_listed_page_by_page(binary, s3, bucket):
    client = s3.client()
    for number in range(1100):
        client.put_object(Bucket=bucket, Key=f"many/{number:04}/model.tar.gz", Body=b"x" * number)
    for prefix, expected in (
        ("houses", [(house.archive.stat().st_size, house.target) for house in HOUSES]),
        ("many/", [(number, f"{number:04}/model.tar.gz") for number in range(1100)]),
    ):
        command = [str(binary), "list", f"s3://{bucket}/{prefix}"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **s3.environment})
        assert done.returncode == 0, done.stderr
        lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
        assert [(int(size), name) for size, name in lines] == expected

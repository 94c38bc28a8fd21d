"""Numbers for whoever watches: Prometheus' text as its own parser reads it, and CloudWatch's lines on standard output."""

import json
import socket
import time
from collections import Counter
from urllib.parse import quote

import pytest

from houses import HOUSES, PREFIX
from http_client import Client
from scrape import Scrape

HOSTILE = ['a"} 1\nthicket_panics_total 7', "back\\slash", "é \t{x}", "x" * 200]


def invoke(url, target, rows):
    header = {"X_Amzn_SageMaker_Target_Model": target}
    return Client(url).csv("/invocations", rows, **header)


@pytest.fixture
def url(server, tmp_path):
    return server("--models", PREFIX, "--cache-dir", tmp_path / "cache").url


def test_what_happened_is_counted(url):
    before = Scrape(url)
    house, other = HOUSES[:2]
    for _ in range(5):
        assert invoke(url, house.target, house.rows[0]).status == 200
    assert invoke(url, other.target, other.rows[0]).status == 200
    assert invoke(url, house.target, "1,2,x,4,5,6").status == 415
    assert invoke(url, "no/such/model.tar.gz", "1").status == 404
    assert Client(url)("GET", "/nosuch").status == 404
    scrape = Scrape(url)

    requests = lambda route, status: scrape("thicket_requests_total", route=route, status=status)
    assert (requests("invoke", "2xx"), requests("invoke", "4xx"), requests("unknown", "4xx")) == (6, 2, 1)
    assert requests("metrics", "2xx") == 1 and before("thicket_requests_total", route="metrics", status="2xx") is None
    assert scrape("thicket_requests_in_flight") == 1, "this very request"
    duration = lambda what, model: scrape(f"thicket_invocation_duration_seconds_{what}", model=model)
    assert (duration("count", "warm"), duration("count", "cold")) == (4, 2)
    assert 0 < duration("sum", "cold") < 60
    assert scrape("thicket_request_bytes_total") >= 6 * len(house.rows[0])
    assert scrape("thicket_response_bytes_total") > 0
    assert scrape("thicket_connections") >= 1 and scrape("thicket_connections_opened_total") >= 10

    assert scrape("thicket_model_lookups_total", result="hit") == 5
    assert scrape("thicket_model_lookups_total", result="miss") == 2
    assert scrape("thicket_model_requests_total", model=house.target) == 6
    assert scrape("thicket_model_requests_total", model=other.target) == 1
    assert scrape("thicket_model_requests_total", model="") == 0
    assert scrape("thicket_models") == 2
    assert 0 < scrape("thicket_models_memory_bytes") < scrape("thicket_models_memory_limit_bytes")

    loads = {result: scrape("thicket_loads_total", result=result) for result in ("converted", "cached", "failed")}
    assert loads == {"converted": 2, "cached": 0, "failed": 1}
    for step in ("wait", "locate", "fetch", "unpack", "convert", "verify", "publish", "reserve", "map"):
        assert scrape("thicket_load_step_duration_seconds_count", step=step) == 2, step
    assert scrape("thicket_load_duration_seconds_count") == 2
    assert scrape("thicket_conversions_total") == 2 and scrape("thicket_verification_failures_total") == 0
    assert scrape("thicket_fallbacks_total", engine="xgboost") == 0

    assert scrape("thicket_panics_total") == 0 and scrape("thicket_ready") == 1
    assert 1 << 20 < scrape("process_resident_memory_bytes") < 1 << 30
    assert abs(scrape("process_start_time_seconds") - time.time()) < 600
    assert (scrape("ModelCacheHit_sum"), scrape("ModelCacheHit_count")) == (5, 7)
    assert scrape("LoadedModelCount") == 2 and scrape("ModelLoadingTime_count") == 2
    assert scrape("ModelLoadingWaitTime_count") == 2 and scrape("ModelLoadingWaitTime_sum") > 0


def test_numbers_only_grow_where_they_say_so(url):
    scrapes = []
    for count, house in enumerate(HOUSES):
        for _ in range(count + 1):
            invoke(url, house.target, house.rows[0])
        scrapes.append(Scrape(url))
    kinds = {family.name: family.type for family in scrapes[0].families.values()}
    assert set(kinds.values()) == {"counter", "gauge", "histogram", "summary"}
    for before, after in zip(scrapes, scrapes[1:]):
        for sample in before.samples:
            family = sample.name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
            if kinds.get(family.removesuffix("_total")) != "gauge":
                assert after(sample.name, **sample.labels) >= sample.value, sample


def test_evictions_unloads_and_who_leaves_are_counted(server, tmp_path):
    url = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--memory-limit", "200000").url
    for house in HOUSES:
        assert invoke(url, house.target, house.rows[0]).status == 200
    assert Client(url)("DELETE", f"/models/{HOUSES[-1].target.replace('/', '%2F')}").status == 200
    # Half a request is no request: who leaves then has abandoned it.
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as leaver:
        leaver.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1,2")
    end = time.monotonic() + 10
    while (scrape := Scrape(url))("thicket_requests_in_flight") > 1:
        assert time.monotonic() < end
    assert scrape("thicket_evictions_total", reason="room") == len(HOUSES) - 1
    assert scrape("thicket_unloads_total") == 1 and scrape("thicket_models") == 0
    assert scrape("ModelUnloadingTime_count") == len(HOUSES)
    assert scrape("thicket_models_memory_bytes") == 0


def test_many_models_and_hostile_names_are_few_series_with_harmless_labels(server, tmp_path):
    url = server("--cache-dir", tmp_path / "cache", environment={"SAGEMAKER_MULTI_MODEL": "1"}).url
    folder = HOUSES[0].unpack(tmp_path / "model")
    asked = Counter()
    client = Client(url)
    for name in [f"model-{number}" for number in range(60)] + HOSTILE:
        assert client("POST", "/models", {"model_name": name, "url": str(folder)}).status == 200
        asked[name] = 5 if name in HOSTILE else 1
        for _ in range(asked[name]):
            assert client.csv(f"/models/{quote(name, safe='')}/invoke", HOUSES[0].rows[0]).status == 200
    scrape = Scrape(url)
    shown = scrape.labels("thicket_model_requests_total", "model")
    assert len(shown) == 21 and set(HOSTILE) < shown and "" in shown
    for name in HOSTILE:
        assert scrape("thicket_model_requests_total", model=name) == asked[name]
    total = sum(scrape("thicket_model_requests_total", model=name) for name in shown)
    assert total == asked.total() == scrape("thicket_model_lookups_total", result="hit")
    assert scrape("thicket_panics_total") == 0 and scrape("thicket_models") == len(asked)
    assert len(scrape.samples) < 600, "whatever the number of models"


def test_cloudwatch_gets_a_line_at_the_end(server, tmp_path):
    process = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--emf", "tests/houses")
    for house in HOUSES[:2]:
        for _ in range(3):
            assert invoke(process.url, house.target, house.rows[0]).status == 200
    assert invoke(process.url, HOUSES[0].target, "x").status == 415
    assert process.stop() == 0
    (line,) = [json.loads(line) for line in process.log().splitlines() if line.startswith('{"')]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "tests/houses" and directive["Dimensions"] == [[]]
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units.keys() == line.keys() - {"_aws"}
    assert units["ModelLoadingTime"] == units["ModelLoadingWaitTime"] == units["ModelDownloadingTime"] == "Microseconds"
    assert (line["Invocations"], line["Invocation4XXErrors"], line["LoadedModelCount"]) == (7, 1, 2)
    hits = line["ModelCacheHit"]
    assert (hits["Values"], hits["Counts"], hits["Sum"], hits["Count"]) == ([0, 1], [2, 5], 5, 7)
    waits = line["ModelLoadingWaitTime"]
    assert waits["Count"] == sum(waits["Counts"]) == 2 and waits["Min"] <= waits["Max"]
    assert "ModelUnloadingTime" not in line, "nothing was unloaded"

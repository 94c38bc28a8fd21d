"""A real S3 server whose objects change, disappear, and which goes away itself."""

import os
import statistics
import subprocess
import time
import uuid

import pytest

from houses import HOUSES
from http_client import Client
from process import Process
from s3_server import S3Server
from scrape import Scrape

PATIENCE_S = 20
# How long the S3 server is away: a longer outage shows no more, but may be asked for.
OUTAGE_S = float(os.environ.get("THICKET_OUTAGE_S", "3"))
REFRESH = ("--refresh", "0.1", "--deleted-grace", "0.3")


@pytest.fixture
def bucket(s3):
    return filled(s3)


def filled(s3):
    """A new bucket that holds the four archives."""
    name = f"models-{uuid.uuid4().hex[:12]}"
    s3.client().create_bucket(Bucket=name)
    for house in HOUSES:
        put(s3, name, house.target, house)
    return name


def put(s3, bucket, target, house):
    s3.client().put_object(Bucket=bucket, Key=target, Body=house.archive.read_bytes())


def predict(client, target, house):
    return client.csv("/invocations", house.rows[0], X_Amzn_SageMaker_Target_Model=target)


def until(what):
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_objects_that_come_change_and_go_are_noticed(server, s3, bucket, tmp_path):
    process = server("--models", f"s3://{bucket}", "--cache-dir", tmp_path / "cache", *REFRESH, environment=s3.environment)
    client, (old, new) = Client(process.url), HOUSES[:2]
    target = "latest/model.tar.gz"
    assert predict(client, target, old).status == 404
    put(s3, bucket, target, old)
    until(lambda: predict(client, target, old).status == 200)
    before, after = [old.prices[0]], predict(client, new.target, old).json

    def answers():
        answer = predict(client, target, old)
        assert answer.status == 200, answer.body
        return answer.json

    put(s3, bucket, target, new)
    seen = [answers()]
    until(lambda: seen.append(answers()) or seen[-1] == after)
    assert seen == [before] * (len(seen) - 1) + [after]

    s3.client().put_object(Bucket=bucket, Key=target, Body=b"no model at all")
    until(lambda: Scrape(process.url)("thicket_refresh_failures_total") >= 1)
    assert answers() == after
    put(s3, bucket, target, old)
    until(lambda: answers() == before)

    s3.client().delete_object(Bucket=bucket, Key=target)
    until(lambda: predict(client, target, old).status == 404)
    metrics = Scrape(process.url)
    assert metrics("thicket_evictions_total", reason="replaced") == 2
    assert metrics("thicket_evictions_total", reason="deleted") == 1
    assert process.log().count("cannot load what changed") <= 3


def test_an_outage_of_the_store_is_short_for_who_is_cached_and_is_over_soon(server, tmp_path):
    folder = tmp_path / "s3"
    folder.mkdir()
    store = S3Server(folder)
    bucket = filled(store)
    process = server("--models", f"s3://{bucket}", "--cache-dir", tmp_path / "cache", environment=store.environment)
    client, cached, cold = Client(process.url), HOUSES[:3], HOUSES[3]
    for house in cached:
        assert predict(client, house.target, house).json == [house.prices[0]]

    store.stop()
    times, end = [], time.monotonic() + OUTAGE_S
    while time.monotonic() < end:
        for house in cached:
            assert client("DELETE", f"/models/{house.target.replace('/', '%2F')}").status == 200
            asked = time.monotonic()
            assert predict(client, house.target, house).json == [house.prices[0]]
            times.append(time.monotonic() - asked)
        asked = time.monotonic()
        refused = predict(client, cold.target, cold)
        assert refused.status == 503 and 1 <= int(refused.headers["retry-after"]) <= 2, refused
        assert time.monotonic() - asked < 1
        client = Client(process.url)
        time.sleep(0.05)
    assert times[0] < 3 and statistics.quantiles(times[1:], n=20)[-1] < 0.1, times
    assert process.log().count("the source does not answer") == 1

    store = S3Server(folder, port=store.port)
    back = time.monotonic()
    while (answer := predict(Client(process.url), cold.target, cold)).status != 200:
        assert answer.status == 503 and time.monotonic() - back < 5, answer
        time.sleep(0.02)
    assert answer.json == [cold.prices[0]]
    assert time.monotonic() - back < 5
    store.stop()


def test_what_lies_in_the_store_is_listed_page_by_page(server, s3, bucket, tmp_path):
    process = server("--models", f"s3://{bucket}", "--cache-dir", tmp_path / "cache", environment=s3.environment)
    client = Client(process.url)
    s3.client().put_object(Bucket=bucket, Key="a folder/", Body=b"")
    assert predict(client, HOUSES[2].target, HOUSES[2]).status == 200
    listed, token, pages = [], "", 0
    while token is not None:
        page = client("GET", f"/models?source=true&limit=2&next_page_token={token}").json
        assert len(page["models"]) <= 2
        listed += page["models"]
        token, pages = page.get("nextPageToken"), pages + 1
    expected = [
        {"modelName": house.target, "sizeBytes": house.archive.stat().st_size, "inMemory": house == HOUSES[2]}
        for house in sorted(HOUSES, key=lambda house: house.target)
    ]
    assert listed == expected and pages >= 2
    assert len(client("GET", "/models").json["models"]) == 1


def test_a_full_disk_makes_room_and_is_no_reason_not_to_serve(binary, tmp_path):
    models, cache = HOUSES[0].archive.parent.parent, tmp_path / "cache"
    cache.mkdir()
    # A disk of its own that holds two conversions.
    within = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=300k none "$0" && exec "$@"', cache]
    command = [*within, binary, "serve", "--host", "127.0.0.1", "--port", "0", "--models", models, "--cache-dir", cache]
    process = Process(command, r"listening on (http://127\.0\.0\.1:\d+)")
    try:
        client = Client(process.url)
        for house in HOUSES:
            assert predict(client, house.target, house).json == [house.prices[0]]
        assert "a model is served from memory" in process.log()
        assert "were removed to make room" not in process.log()
        for house in HOUSES:
            assert client("DELETE", f"/models/{house.target.replace('/', '%2F')}").status == 200
        for house in reversed(HOUSES):
            assert predict(client, house.target, house).json == [house.prices[0]]
        assert "were removed to make room" in process.log()
    finally:
        assert process.stop() == 0, process.log()


def test_a_cache_limit_is_kept(server, s3, bucket, tmp_path):
    cache = tmp_path / "cache"
    options = ("--cache-limit", "300KiB", "--memory-limit", "150000")
    process = server("--models", f"s3://{bucket}", "--cache-dir", cache, *options, environment=s3.environment)
    for house in [*HOUSES, *HOUSES]:
        assert predict(Client(process.url), house.target, house).json == [house.prices[0]]
    until(lambda: disk_bytes(cache) <= 300 << 10)
    assert "were removed to make room" in process.log()


def disk_bytes(folder):
    return int(subprocess.check_output(["du", "--apparent-size", "--bytes", "--total", "--summarize", *folder.glob("??")]).split()[-2])

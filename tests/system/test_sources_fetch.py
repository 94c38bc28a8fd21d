"""Downloads that go wrong on their way from a real S3 server: what is served is right, or nothing is."""

import time
import uuid

import boto3
import pytest
from botocore.config import Config

from faulty_proxy import Cut, FaultyProxy, Flip, Shorten, Slow, Stall
from houses import HOUSES
from http_client import Client
from s3_server import ACCESS_KEY, REGION, SECRET_KEY

HOUSE, OTHER = HOUSES[:2]
BYTES = HOUSE.archive.stat().st_size
TARGET = "model.tar.gz"
PATIENCE_S = 20


@pytest.fixture
def bucket(s3):
    """A bucket with one model, stored with its checksum."""
    name = f"models-{uuid.uuid4().hex[:12]}"
    s3.client().create_bucket(Bucket=name)
    put(s3.client(), name, HOUSE)
    return name


def put(client, bucket, house):
    client.put_object(Bucket=bucket, Key=TARGET, Body=house.archive.read_bytes(), ChecksumAlgorithm="CRC32")


def put_without_checksum(s3, bucket):
    config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY, "region_name": REGION}
    client = boto3.client("s3", endpoint_url=s3.url, config=config, **keys)
    client.put_object(Bucket=bucket, Key=TARGET, Body=HOUSE.archive.read_bytes())


@pytest.fixture
def fetching(server, s3, bucket, tmp_path):
    """Starts a server behind a proxy with faults; gives a function that predicts, and the proxy."""
    proxies = []

    def start(*faults, **options):
        proxy = FaultyProxy(s3.url, faults, **options)
        proxies.append(proxy)
        environment = {**s3.environment, "AWS_ENDPOINT_URL_S3": proxy.url}
        running = server("--models", f"s3://{bucket}", "--cache-dir", tmp_path / "cache", environment=environment)
        return lambda: predict(running.url), proxy

    yield start
    for proxy in proxies:
        proxy.stop()


def predict(url, target=TARGET):
    return Client(url).csv("/invocations", "\n".join(HOUSE.rows), X_Amzn_SageMaker_Target_Model=target)


def field(head, name):
    lines = (line.partition(":") for line in head.split("\r\n"))
    return next((value.strip() for key, _, value in lines if key.lower() == name), None)


@pytest.mark.parametrize(
    "faults",
    [
        [Cut(0)],
        [Cut(BYTES // 2)],
        [Cut(BYTES - 1)],
        [Cut(5000), Cut(5000), Cut(5000), Cut(100)],
        [Flip(BYTES // 2)],
        [Flip(1000, cut_after=3000)],
        [Cut(3000), Flip(1000)],
        [Shorten(BYTES // 3)],
        [Stall(4000)],
        [Slow(0.02)],
    ],
    ids=str,
)
def test_what_breaks_on_its_way_arrives_whole(fetching, faults):
    ask, proxy = fetching(*faults)
    answer = ask()
    assert (answer.status, answer.json) == (200, HOUSE.prices), answer.body
    assert len(proxy.gets) >= len(faults)


def test_a_download_goes_on_where_it_broke_off_in_the_same_object(fetching, s3, bucket):
    ask, proxy = fetching(Cut(4000), Cut(3000))
    assert ask().json == HOUSE.prices
    tag = s3.client().head_object(Bucket=bucket, Key=TARGET)["ETag"]
    assert [field(head, "range") for head in proxy.gets] == [None, "bytes=4000-", "bytes=7000-"]
    assert [field(head, "if-match") for head in proxy.gets] == [None, tag, tag]


def test_an_object_that_changes_on_the_way_is_brought_anew(fetching, server, s3, bucket, tmp_path):
    plain = server("--models", OTHER.archive.parent, "--cache-dir", tmp_path / "other")
    ask, proxy = fetching(Cut(BYTES // 2), on_fault=lambda: put(s3.client(), bucket, OTHER))
    answer = ask()
    assert (answer.status, answer.json) == (200, predict(plain.url).json), answer.body
    assert field(proxy.gets[-1], "range") is None


@pytest.mark.parametrize("fault", [Flip(BYTES // 2), Flip(BYTES - 6), Shorten(BYTES - 5), Flip(20)], ids=str)
def test_without_a_stored_checksum_the_archives_own_finds_a_wrong_byte(fetching, s3, bucket, fault):
    put_without_checksum(s3, bucket)
    ask, _ = fetching(fault)
    end = time.monotonic() + PATIENCE_S
    while (answer := ask()).status != 200:
        assert answer.status == 500 and b"Unable to load model" in answer.body, answer.body
        assert time.monotonic() < end
        time.sleep(0.1)
    assert answer.json == HOUSE.prices


def test_a_download_that_always_breaks_is_given_up(fetching):
    ask, proxy = fetching(always=Cut(10))
    asked = time.monotonic()
    answer = ask()
    assert time.monotonic() - asked < PATIENCE_S
    assert answer.status == 503, answer.body
    assert int(answer.headers["retry-after"]) >= 1
    assert len(proxy.gets) == 6

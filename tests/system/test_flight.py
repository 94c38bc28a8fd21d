"""A thousand callers of one model that nobody has seen: fetched once, converted once, answered a thousand times."""

import asyncio
import uuid

from houses import HOUSES
from raw_client import allow_files, exchange
from scrape import Scrape

CALLERS = 1000
HOUSE = HOUSES[0]


def request(row):
    body = row.encode()
    return (
        b"POST /endpoints/any/invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/csv\r\n"
        b"X-Amzn-SageMaker-Target-Model: cold.tar.gz\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


async def all_at_once(port):
    """The answers to a row for each caller."""
    rows = [HOUSE.rows[caller % len(HOUSE.rows)] for caller in range(CALLERS)]
    return await asyncio.gather(*[exchange(port, request(row)) for row in rows])


def test_a_thousand_callers_of_a_cold_model_cost_one_load(server, s3, tmp_path):
    bucket = f"flight-{uuid.uuid4().hex[:12]}"
    client = s3.client()
    client.create_bucket(Bucket=bucket)
    client.upload_file(str(HOUSE.archive), bucket, "cold.tar.gz")
    allow_files(2 * CALLERS)
    process = server("--models", f"s3://{bucket}", "--cache-dir", tmp_path / "cache", environment=s3.environment)
    answers = asyncio.run(all_at_once(process.port))
    expected = [f"[{HOUSE.prices[caller % len(HOUSE.rows)]!r}]".encode() for caller in range(CALLERS)]
    wrong = [answer for answer, price in zip(answers, expected) if not answer.endswith(b"\r\n\r\n" + price)]
    assert not wrong, (len(wrong), wrong[0])
    scrape = Scrape(process.url)
    steps = [scrape("thicket_load_step_duration_seconds_count", step=step) for step in ("fetch", "convert", "verify")]
    assert (steps, scrape("thicket_loads_total", result="converted")) == ([1, 1, 1], 1)
    assert scrape("thicket_conversions_total") == 1

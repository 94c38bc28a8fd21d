"""Requests for models that do not come leave room for those whose models are there."""

import asyncio
import os
import signal
import time
import uuid

import pytest

from houses import HOUSES
from raw_client import exchange, statuses

CONNECTIONS = 16
HOUSE = HOUSES[0]


@pytest.fixture
def bucket(s3):
    """A bucket of one model under many names."""
    name = f"waiting-{uuid.uuid4().hex[:12]}"
    client = s3.client()
    client.create_bucket(Bucket=name)
    for model in ["warm", *map(str, range(CONNECTIONS))]:
        client.upload_file(str(HOUSE.archive), name, model)
    return name


def request(model):
    body = HOUSE.rows[0].encode()
    return (
        b"POST /endpoints/any/invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/csv\r\n"
        b"X-Amzn-SageMaker-Target-Model: %b\r\nContent-Length: %d\r\n\r\n%b" % (model.encode(), len(body), body)
    )


async def answers(port, s3):
    """What twelve requests for models are answered whose source stands still, and what the others take meanwhile."""
    await exchange(port, request("warm"))
    os.kill(s3.pid, signal.SIGSTOP)
    try:
        cold = [asyncio.create_task(exchange(port, request(str(model)))) for model in range(12)]
        refused = 0
        while refused < 4:
            await asyncio.sleep(0.01)
            refused = sum(one.done() for one in cold)
        warm, taken_s = [], []
        for _ in range(50):
            start = time.monotonic()
            warm.append(await exchange(port, request("warm")))
            taken_s.append(time.monotonic() - start)
        assert sum(one.done() for one in cold) == 4
    finally:
        os.kill(s3.pid, signal.SIGCONT)
    return await asyncio.gather(*cold), warm, sorted(taken_s)


def test_half_of_the_connections_are_left_to_models_that_are_there(server, s3, bucket, tmp_path):
    options = ("--cache-dir", tmp_path / "cache", "--connections-max", CONNECTIONS)
    process = server("--models", f"s3://{bucket}", *options, environment=s3.environment)
    cold, warm, taken_s = asyncio.run(answers(process.port, s3))
    price = f"[{HOUSE.prices[0]!r}]".encode()
    assert all(answer.endswith(price) for answer in warm), warm[0]
    assert taken_s[len(taken_s) // 2] < 0.05, taken_s
    codes = sorted(statuses(b"".join(cold)))
    assert codes == [200] * 8 + [503] * 4, cold
    assert all(answer.endswith(price) for answer in cold if b" 200 " in answer)

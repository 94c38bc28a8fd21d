"""The SageMaker Python SDK 2, unchanged, against stand-alone mode over a real S3 server."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

from houses import HOUSES

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "target" / "sdk" / "bin" / "python"


@pytest.fixture
def endpoint(server, s3, tmp_path):
    """A server over a bucket that holds the houses' archives."""
    bucket, client = f"sdk-{uuid.uuid4().hex[:12]}", s3.client()
    client.create_bucket(Bucket=bucket)
    for house in HOUSES:
        client.upload_file(str(house.archive), bucket, f"houses/{house.target}")
    return server("--models", f"s3://{bucket}/houses", "--cache-dir", tmp_path / "cache", environment=s3.environment)


def test_the_sdks_predictor_works_unchanged(endpoint):
    if not PYTHON.exists():
        pytest.fail(f"{PYTHON} is missing; make it with: make target/sdk/installed", pytrace=False)
    cells = lambda row: [float(cell) if cell else None for cell in row.split(",")]
    rows = {house.target: [cells(row) for row in house.rows] for house in HOUSES}
    done = subprocess.run(
        [PYTHON, Path(__file__).parent / "sdk" / "predict.py", endpoint.url],
        input=json.dumps(rows),
        env={**os.environ, "SAGEMAKER_SUPPRESS_V2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.pop("refused") == "ValidationError"
    assert set(found) == {"pandas", "json", "json lines", "csv", "bytes"}
    for name, answers in found.items():
        assert answers == {house.target: house.prices for house in HOUSES}, name

"""A real S3 server on loopback: s3s-fs over a folder, with credentials that it checks."""

import sys
from pathlib import Path

import boto3
from botocore.config import Config

from process import Process

PROGRAM = Path(__file__).resolve().parents[2] / ".tools" / "bin" / "s3s-fs"
ACCESS_KEY = "thicket-tests"
SECRET_KEY = "a secret that only the tests know"
REGION = "us-east-1"


class S3Server:
    """A running server: `url`, `environment` for programs that shall use it, `client()` for the test itself."""

    def __init__(self, folder, port=0):
        if not PROGRAM.exists():
            raise RuntimeError(f"{PROGRAM} is missing; {sys.executable} tests/tools/install.py installs it")
        keys = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]
        self._process = Process(
            [PROGRAM, "--host", "127.0.0.1", "--port", str(port), *keys, folder],
            r"server is running at (http://127\.0\.0\.1:\d+)",
            {"RUST_LOG": "s3s_fs=info", "NO_COLOR": "1"},
        )
        self.url = self._process.url
        self.port = self._process.port

    @property
    def pid(self):
        return self._process.pid

    @property
    def environment(self):
        """What a program needs to find this server and to be let in."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, secret_key=SECRET_KEY):
        """Returns boto3's S3 client for this server, with buckets in the path."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def log(self):
        return self._process.log()

    def stop(self):
        """Stops the server; it keeps nothing that would need a clean end."""
        self._process.kill()

"""A plain HTTP client for the container's routes: one connection, kept alive as long as the server does."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """Sends requests to the server at `url`."""

    def __init__(self, url, timeout_s=30):
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout_s)

    def __call__(self, method, path, body=None, **headers):
        """Sends one request; header names are given with `_` for `-`."""
        if isinstance(body, dict):
            body, headers = json.dumps(body), {"Content_Type": "application/json", **headers}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body=body, headers=headers)
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def csv(self, path, body, **headers):
        return self("POST", path, body=body, Content_Type="text/csv", **headers)

"""Times requests with a client that costs next to nothing: the program `exchange` in rust/."""

import json
import subprocess

from connection import request
from rivals import Unavailable

# What every server answers somehow: who has answered has the connection.
FIRST = request("GET", "/ping")


class Stopwatch:
    """A running client of the server at `url`; a context that ends it."""

    def __init__(self, program, url):
        words = [str(program), url.removeprefix("http://")]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def time_ms(self, requests):
        """Returns how long the requests take, one after another over a new connection, all of which have to succeed."""
        line = json.dumps([one.decode() for one in [FIRST, *requests]])
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline() or '{"error": "the client has ended"}')
        if "error" in told:
            raise Unavailable(told["error"])
        for one, (status, body) in zip(requests, told["answers"][1:], strict=True):
            if status != 200:
                raise Unavailable(f"{one.splitlines()[0].decode()} got {status}: {body[:200]}")
        return told["ns"] / 1e6

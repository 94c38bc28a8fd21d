"""AWS's container on record: the requests, its answers, and the classes of answers that differ on purpose.

Every pair is either equal or falls into the first class below whose question it answers with yes. How many pairs each
class has in each mode is told by the table in docs/contract.md, and by nothing else.

`python tests/system/golden.py target/release/thicket` counts and writes the table anew.
"""

import http.client
import json
import re
import shutil
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from process import Process

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "fixtures" / "golden"
DOCUMENT = ROOT / "docs" / "contract.md"
# The record is of the container of XGBoost 1.7, which uses fewer trees of a saved model whose training stopped early.
MODES = {"default": {}, "strict": {"THICKET_COMPAT": "strict", "THICKET_BEST_ITERATION": "legacy"}}
# Where the models lay when the record was made.
RECORDED = "/opt/ml/models"
# Every answer of AWS's front end carries these.
CONSTANT = {
    "pragma": "no-cache",
    "cache-control": "no-cache; no-store, must-revalidate, private",
    "expires": "Thu, 01 Jan 1970 00:00:00 UTC",
}
# AWS's own models are not ours to keep: one with as many features and classes stands in for both.
STAND_IN, OWN = "multi_softprob", ("pickled_model", "saved_booster")


@dataclass
class Pair:
    """One recorded request with its answer; bodies are texts of one character a byte."""

    request: str
    status: int
    reason: str
    answer: str
    answer_headers: dict
    headers: dict = field(default_factory=dict)
    body: str | None = None
    repeated: int = 1
    at: int = 0

    @property
    def model(self):
        """The model that the request is for, loads included."""
        found = re.search(r'"model_name": "(\w+)"', self.body or "") or re.search(r"/models/(\w+)", self.request)
        return found and found.group(1)

    @property
    def is_load(self):
        return self.request == "POST /models"


@dataclass
class Answer:
    """What came back, with the places of models as they are in the record."""

    status: int
    reason: str
    body: str
    headers: dict

    @property
    def message(self):
        """The text of an error in AWS's envelope, whose code has to be the status."""
        if self.headers.get("content-type") != "application/json":
            return ""
        envelope = json.loads(self.body)
        is_envelope = isinstance(envelope, dict) and set(envelope) == {"code", "type", "message"}
        return envelope["message"] if is_envelope and envelope["code"] == self.status and envelope["type"] else ""


def pairs():
    lines = (FOLDER / "pairs.jsonl").read_text().splitlines()
    return [Pair(**json.loads(line), at=at) for at, line in enumerate(lines)]


def unpack(folder):
    """The recorded models, and those that stand in for AWS's own."""
    with tarfile.open(FOLDER / "models.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    for name in OWN:
        shutil.copytree(folder / STAND_IN, folder / name)
    return folder


def send(url, pair, models):
    """Sends a recorded request, with the header names as they were, over a connection of its own."""
    method, path = pair.request.split(" ", 1)
    body = pair.body and (pair.body * pair.repeated).replace(RECORDED, str(models)).encode("latin-1")
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in pair.headers.items():
        connection.putheader(name, value)
    if pair.body is not None:
        connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders(body or None)
    response = connection.getresponse()
    text = response.read().decode("latin-1").replace(str(models), RECORDED)
    headers = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    return Answer(response.status, response.reason, text, headers)


def differences(pair, answer):
    """What of an answer is not as recorded. Header names have no case, and HTTP/1.1 keeps connections unless told."""
    expected = {"connection": "keep-alive", **({} if "bare" in pair.answer_headers else CONSTANT), **pair.answer_headers}
    expected.pop("bare", None)
    found = {"connection": "keep-alive", **answer.headers}
    names = {"content-type", *CONSTANT, "connection"}
    whole = (("status", pair.status, answer.status), ("reason", pair.reason, answer.reason), ("body", pair.answer, answer.body))
    headers = ((name, expected.get(name), found.get(name)) for name in sorted(names))
    return {name: (was, now) for name, was, now in (*whole, *headers) if was != now}


def shape(value):
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def same_shape(pair, answer):
    """Whether the bodies differ in their numbers alone."""
    # What AWS calls CSV of lists is JSON but for the outer brackets.
    lists = [json.loads(text if text.startswith("[[") else f"[{text}]") for text in (pair.answer, answer.body)]
    return shape(lists[0]) == shape(lists[1])


def refused(pair):
    """AWS could not use the request."""
    return pair.status == 503


def header(pair, name):
    return next((value for key, value in pair.headers.items() if key.lower() == name), None)


def names_two_numbers(answer):
    """How many columns were sent, and how many the model has."""
    return re.search(r"\b\d+\b.*\b\d+\b", answer.message)


# Differences that lie in the answer to one kind of request come first, then those that its status tells.
CLASSES = {
    "AWS's own models": lambda pair, answer, found: pair.model in OWN and set(found) == {"body"} and same_shape(pair, answer),
    "broken models": lambda pair, answer, found: pair.model in ("bad", "empty", "extra")
    and answer.status == (500 if pair.is_load else 404)
    and answer.message.startswith("Unable to load model: " if pair.is_load else "Model not found: "),
    "early stopping": lambda pair, answer, found: pair.model == "es" and set(found) == {"body"} and same_shape(pair, answer),
    "description": lambda pair, answer, found: pair.request == "GET /models/reg"
    and set(found) == {"body"}
    and list(json.loads(pair.answer)) == list(json.loads(answer.body))
    and list(json.loads(pair.answer)["workers"][0]) == list(json.loads(answer.body)["workers"][0]),
    "pages": lambda pair, answer, found: pair.request.startswith("GET /models?")
    and set(found) == {"body"}
    and "nextPageToken" not in json.loads(answer.body),
    "Java's words": lambda pair, answer, found: pair.body == "{bad" and set(found) == {"body"} and answer.message,
    "body too large": lambda pair, answer, found: pair.status == answer.status == 413
    and answer.headers["connection"] == "close",
    "header case": lambda pair, answer, found: {"CONTENT-TYPE", "ACCEPT"} & set(pair.headers) and answer.status == 200,
    "Accept as HTTP means it": lambda pair, answer, found: refused(pair)
    and answer.status == 200
    and header(pair, "accept") is not None,
    "rows filled up": lambda pair, answer, found: pair.status == 200
    and answer.status == 400
    and names_two_numbers(answer),
    "empty body: 204": lambda pair, answer, found: refused(pair) and answer.status == 204 and answer.body == "",
    "wrong number of columns: 400": lambda pair, answer, found: refused(pair)
    and answer.status == 400
    and names_two_numbers(answer),
    "unknown Accept: 406": lambda pair, answer, found: refused(pair) and answer.status == 406 and answer.message,
    "unreadable: 415": lambda pair, answer, found: refused(pair) and answer.status == 415 and answer.message,
}


def class_of(pair, answer):
    """The class of an answer: `equal`, one of `CLASSES`, or `None`."""
    found = differences(pair, answer)
    if not found:
        return "equal"
    return next((name for name, is_one in CLASSES.items() if is_one(pair, answer, found)), None)


def replay(url, models):
    """Sends every recorded request in order; yields each pair, the answer and its class."""
    for pair in pairs():
        answer = send(url, pair, models)
        yield pair, answer, class_of(pair, answer)


ROW = re.compile(r"^\| ([^|]+?) \| (\d+) \| (\d+) \|", re.MULTILINE)


def documented():
    """The counts of docs/contract.md: class → mode → how many."""
    rows = ROW.findall(DOCUMENT.read_text())
    return {name: dict(zip(MODES, map(int, counts))) for name, *counts in rows}


def main(binary):
    counts = {}
    for mode, environment in MODES.items():
        with tempfile.TemporaryDirectory() as folder:
            models = unpack(Path(folder) / "models")
            command = [binary, "serve", "--host", "127.0.0.1", "--port", "0", "--cache-dir", f"{folder}/cache"]
            server = Process(command, r"listening on (http://127\.0\.0\.1:\d+)", environment)
            counts[mode] = Counter(name for _, _, name in replay(server.url, models))
            server.stop()
    row = lambda found: f"| {found[1]} | " + " | ".join(str(counts[mode][found[1]]) for mode in MODES) + " |"
    DOCUMENT.write_text(ROW.sub(row, DOCUMENT.read_text()))
    for mode, found in counts.items():
        print(f"{mode}: {dict(found)}")


if __name__ == "__main__":
    main(sys.argv[1])

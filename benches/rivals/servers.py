"""The servers that are compared: how each is started, and what a request to it looks like."""

import json
import shutil
import socket
import sys
from pathlib import Path

import houses
from connection import Connection, request
from rivals import HERE, ROOT, Unavailable, say
from tree import Tree

sys.path.insert(0, str(ROOT / "tests" / "system"))

from process import Process  # noqa: E402

MANY_MODELS_ROUTES = r"listening on (http://127\.0\.0\.1:\d+)"
UVICORN = r"Uvicorn running on (http://127\.0\.0\.1:\d+)"
# The first start installs what is served.
START_S = 600
# What a city's model answers to a row, as the bare handler's stand-in.
ANSWER = "[740663.25]"
# XGBoost from 1.7 on adds the trees up in another order than 0.90.
TOLERANCE = 1e-6


class Server:
    """A running server with SageMaker's routes for many models; `models` is the folder of the named models' files."""

    content_type = "text/csv"

    def __init__(self, name, command, announcement, models, environment=None):
        self.name = name
        self.models = models
        self.process = Process(command, announcement, environment, START_S)
        self.tree = Tree(self.process.pid)
        self.connection = Connection(self.process.url)

    def stop(self):
        self.connection.close()
        self.process.stop()

    def path(self, name):
        return f"/models/{name}/invoke"

    def body(self, row):
        return ",".join(row)

    def answer(self, text):
        return json.loads(text)[0]

    def loading(self, name):
        """Returns the request that loads a model."""
        wanted = json.dumps({"model_name": name, "url": str(self.models / name)}).encode()
        return request("POST", "/models", "application/json", wanted)

    def invocation(self, name, row):
        """Returns the request for a model's answer to one row."""
        return request("POST", self.path(name), self.content_type, self.body(row).encode())

    def load(self, name):
        self._exchange(self.loading(name))

    def unload(self, name):
        self._exchange(request("DELETE", f"/models/{name}"))

    def invoke(self, name, row):
        """Returns the model's answer to one row."""
        return self.answer(self._exchange(self.invocation(name, row)))

    def check(self, name):
        """Refuses to time a server that answers something else than XGBoost did."""
        for row, value in list(zip(houses.rows(name), houses.expected(name), strict=True))[:20]:
            answer = self.invoke(name, row)
            if abs(answer - value) > TOLERANCE * abs(value):
                raise Unavailable(f"answers {answer} to {','.join(row)} instead of {value}")

    def _exchange(self, one):
        status, body = self.connection.exchange(one)
        if status != 200:
            raise Unavailable(f"{one.splitlines()[0].decode()} got {status}: {body.decode(errors='replace')[:200]}")
        return body


class Bare(Server):
    """Hyper alone, which knows no models."""

    def load(self, name):
        pass

    def unload(self, name):
        pass

    def check(self, name):
        pass


class MLServer(Server):
    """MLServer, which speaks the second version of KServe's protocol in JSON and takes no CSV."""

    content_type = "application/json"

    def path(self, name):
        return f"/v2/models/{name}/infer"

    def body(self, row):
        cells = [float(cell) if cell else None for cell in row]
        one = {"name": "rows", "shape": [1, len(cells)], "datatype": "FP32", "data": cells}
        return json.dumps({"inputs": [one]})

    def answer(self, text):
        return json.loads(text)["outputs"][0]["data"][0]

    def loading(self, name):
        return request("POST", f"/v2/repository/models/{name}/load")

    def unload(self, name):
        self._exchange(request("POST", f"/v2/repository/models/{name}/unload"))


def free_port():
    """Returns a port that nobody listens on, for servers that cannot choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def thicket(folder):
    if not folder.thicket.exists():
        raise Unavailable(f"{folder.thicket} is missing: make build-dist")
    models = houses.spread(folder.path / "houses" / "thicket", houses.unpacked)
    # An empty cache: every model is one that was never seen.
    cache = folder.path / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    command = [folder.thicket, "serve", "--host", "127.0.0.1", "--port", "0", "--cache-dir", cache]
    return Server("thicket", command, MANY_MODELS_ROUTES, models, {"SAGEMAKER_MULTI_MODEL": "true"})


def bare(folder):
    return Bare("bare hyper", [folder.program("bare", "dist"), ANSWER], MANY_MODELS_ROUTES, folder.path)


def by_hand(folder):
    python = folder.python("fastapi")
    form = houses.saved_again(python, houses.RESAVE_UBJSON, folder.path / "houses" / "ubjson")
    models = houses.spread(folder.path / "houses" / "fastapi", form)
    command = [python, HERE / "servers" / "by_hand.py", free_port()]
    return Server("FastAPI", command, UVICORN, models, {"OMP_NUM_THREADS": "1"})


def mlserver(folder):
    saver = folder.python("fastapi")
    form = houses.saved_again(saver, houses.RESAVE_UBJSON, folder.path / "houses" / "ubjson")
    python = folder.python("mlserver")
    models = houses.spread(folder.path / "houses" / "mlserver", form)
    port = free_port()
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": 0,
        "load_models_at_startup": False,
        "metrics_dir": str(folder.path),
    }
    (models / "settings.json").write_text(json.dumps(settings))
    command = [Path(python).with_name("mlserver"), "start", models]
    announcement = rf"Uvicorn running on (http://127\.0\.0\.1:{port})"
    return MLServer("MLServer", command, announcement, models, {"OMP_NUM_THREADS": "1"})


def aws(folder, environment=None):
    place = folder.path / "aws"
    command = [sys.executable, HERE / "aws" / "run.py", place, *houses.archives()]
    server = Server("AWS", command, MANY_MODELS_ROUTES, folder.path / "houses" / "aws", environment)
    try:
        form = houses.saved_again(place / "environment" / "bin" / "python", houses.RESAVE_AWS, place / "models")
        houses.spread(server.models, form)
    except Unavailable:
        server.stop()
        raise
    return server


MAKERS = {"thicket": thicket, "bare hyper": bare, "FastAPI": by_hand, "MLServer": mlserver, "AWS": aws}


def start(folder, names, stack, outcome):
    """Starts the servers of those names, to be stopped with `stack`; what does not start is noted in the outcome."""
    running = []
    for name in names:
        say(f"starting {name}")
        try:
            server = MAKERS[name](folder)
        except (Unavailable, RuntimeError) as error:
            outcome.missing[name] = str(error).strip().splitlines()[-1]
            continue
        stack.callback(server.stop)
        running.append(server)
    return running

"""The container image: what lies in it, and that it serves as SageMaker runs it, stand-alone, and locked down.

THICKET_IMAGE names the image (default: thicket:test).
"""

import json
import math
import os
import shutil
import stat
import subprocess
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import pytest

import golden
from houses import HOUSES, PREFIX
from http_client import Client
from process import Process
from runtime_client import runtime_client
from scrape import Scrape

IMAGE = os.environ.get("THICKET_IMAGE", "thicket:test")
SIZE_MAX_MB = 100
STOP_S_MAX = 10
LOCKED_DOWN = ("--user", "12345:12345", "--read-only", "--tmpfs", "/tmp")
# What the platform sets, and AWS's own tests with it.
PLATFORM = ("--env", "SAGEMAKER_MULTI_MODEL=true", "--env", "SAGEMAKER_SAFE_PORT_RANGE=9000-9999")
LOADED = {"status": "Workers scaled"}
TOOLS = set("sh bash busybox apt-get dpkg perl python3 pip make cc gcc ld cargo rustc".split())


def docker(*arguments):
    """Runs a command of Docker's client and returns what it prints."""
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {arguments}: {done.stderr}"
    return done.stdout.strip()


class Container:
    """A running container: `url` where the host reaches it, `call` a client of it."""

    def __init__(self, id_, port):
        self.id = id_
        self._process = Process(["docker", "start", "--attach", id_], r"listening on (http://\S+)")
        self.url = f"http://{docker('port', id_, port).splitlines()[0]}"
        self.call = Client(self.url)

    def load(self, name, url):
        return self.call("POST", "/models", {"model_name": name, "url": url})

    def invoke(self, name, rows):
        """Returns the status and the answer's JSON."""
        answer = self.call.csv(f"/models/{name}/invoke", "\n".join(rows))
        return answer.status, answer.json

    def stop(self):
        """Asks for an end as Docker does by default, and returns the exit code and the seconds that it took."""
        start = time.monotonic()
        docker("stop", "--time", "30", self.id)
        stop_s = time.monotonic() - start
        assert not self.state()["OOMKilled"]
        return self.state()["ExitCode"], stop_s

    def state(self):
        return json.loads(docker("inspect", "--format", "{{json .State}}", self.id))

    def log(self):
        return self._process.log()

    def close(self):
        self._process.stop()
        print(f"--- log of container {self.id}\n{self.log()}")


@pytest.fixture(scope="session")
def image():
    """What Docker says of the image."""
    found = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.fail(f"image {IMAGE}: {found.stderr.strip()}; build it with: make image", pytrace=False)
    return json.loads(found.stdout)[0]


@pytest.fixture
def create(image):
    """Makes containers, `create(options, command)`, and removes them at the end of the test, whatever happens."""
    created = []

    def make(options=(), command=("serve",)):
        created.append(docker("create", "--memory", "256m", *options, IMAGE, *command))
        return created[-1]

    yield make
    if created:
        docker("rm", "--force", "--volumes", *created)


@pytest.fixture
def start(create):
    """Starts containers, `start(options, command)`, with `port` published; each has to stop well at the end."""
    started = []

    def run(options=(), command=("serve",), port=8080):
        id_ = create(("--publish", f"127.0.0.1:0:{port}", *options), command)
        started.append(Container(id_, port))
        return started[-1]

    yield run
    ends = [container.stop() for container in started]
    for container in started:
        container.close()
    assert all(code == 0 and stop_s < STOP_S_MAX for code, stop_s in ends), f"exit codes and seconds: {ends}"


@pytest.fixture
def content(create):
    """The entries of the image's file system, by path."""
    export = subprocess.Popen(["docker", "export", create()], stdout=subprocess.PIPE)
    with export.stdout, tarfile.open(fileobj=export.stdout, mode="r|") as files:
        entries = {f"/{entry.name}".rstrip("/"): entry for entry in files}
    # Docker leaves the kind of file in the mode.
    for entry in entries.values():
        entry.mode = stat.S_IMODE(entry.mode)
    assert export.wait() == 0
    return entries


def mounted(folder, place):
    """The options that mount a folder, made readable for every user, as the platform's are."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return ("--volume", f"{folder}:{place}:ro")


def test_the_platform_is_told_what_the_image_can_do(image):
    config = image["Config"]
    assert config["Labels"]["com.amazonaws.sagemaker.capabilities.multi-models"] == "true"
    assert config["Labels"]["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert config["Entrypoint"] == ["/usr/local/bin/thicket"]
    assert config["Cmd"] == ["serve"]
    assert "8080/tcp" in config["ExposedPorts"]
    # SageMaker expects root.
    assert config["User"] in ("", "0", "root")


def test_the_image_is_small(image):
    size_mb = image["Size"] / 1e6
    print(f"{IMAGE}: {size_mb:.1f} MB")
    assert size_mb < SIZE_MAX_MB


def test_the_image_holds_what_serving_needs_and_no_tools(content):
    assert content["/usr/local/bin/thicket"].mode == 0o755
    assert content["/opt/ml/models"].mode == 0o777
    assert content["/etc/ssl/certs/ca-certificates.crt"].size > 100_000
    for library in ("libonnxruntime.so", "libxgboost.so"):
        assert content[f"/usr/local/lib/thicket/{library}"].mode == 0o644
    for licence in ("LICENSE", "licenses/onnxruntime/LICENSE", "licenses/xgboost/NOTICE"):
        assert content[f"/usr/local/share/doc/thicket/{licence}"].isreg()
    found = [path for path in content if "bin" in PurePosixPath(path).parts and PurePosixPath(path).name in TOOLS]
    assert not found


@pytest.mark.parametrize("options", [(), LOCKED_DOWN], ids=["root", "locked-down"])
def test_the_platforms_calls(start, tmp_path, options):
    for house in HOUSES:
        house.unpack(tmp_path / "models" / house.name / "model")
    server = start((*PLATFORM, *options, *mounted(tmp_path / "models", "/opt/ml/models")))
    assert server.call("GET", "/ping").status == 200
    assert server.call("GET", "/models").json == {"models": []}
    for house in HOUSES:
        url = f"/opt/ml/models/{house.name}/model"
        assert server.load(house.name, url).json == LOADED
        assert server.invoke(house.name, house.rows) == (200, house.prices)
        assert server.load(house.name, url).status == 409
    models = server.call("GET", "/models").json["models"]
    assert [model["modelName"] for model in models] == [house.name for house in HOUSES]
    for house in HOUSES:
        unloaded = server.call("DELETE", f"/models/{house.name}")
        assert unloaded.json == {"status": f'Model "{house.name}" unregistered'}
        status, answer = server.invoke(house.name, house.rows)
        assert (status, answer["message"]) == (404, f"Model not found: {house.name}")
    assert server.call("GET", "/models").json == {"models": []}


def test_a_model_mounted_at_its_place_is_served_alone_without_a_variable(start, tmp_path):
    house = HOUSES[0]
    server = start((*LOCKED_DOWN, *mounted(house.unpack(tmp_path / "model"), "/opt/ml/model")))
    assert server.call("GET", "/ping").status == 200
    prices = server.call.csv("/invocations", "\n".join(house.rows)).body.decode().split()
    assert [float(price) for price in prices] == house.prices
    assert server.call("GET", "/execution-parameters").json["BatchStrategy"] == "MULTI_RECORD"
    assert server.call("GET", "/models").status == 404


def test_models_mounted_where_awss_own_tests_mount_them(start, tmp_path):
    for house in HOUSES:
        house.unpack(tmp_path / "models" / house.name)
    bind = ("--env", "SAGEMAKER_BIND_TO_PORT=9123")
    server = start((*PLATFORM, *bind, *mounted(tmp_path / "models", "/opt/ml/model")), port=9123)
    for house in HOUSES:
        assert server.load(house.name, f"/opt/ml/model/{house.name}").json == LOADED
        assert server.invoke(house.name, house.rows) == (200, house.prices)
    assert server.load("none", "/opt/ml/model/none").status == 404


@pytest.mark.parametrize("compat", ["intended", "strict"])
def test_awss_tests_of_its_xgboost_container_pass(start, tmp_path, compat):
    """What AWS's own test of several models in one container does, with models of ours under the names of theirs."""
    models = golden.unpack(tmp_path / "recorded")
    for name, ours in (("pickled_model", "regpkl"), ("saved_booster", "multi_softprob")):
        shutil.copytree(models / ours, tmp_path / "models" / name)
    bind = ("--env", "SAGEMAKER_BIND_TO_PORT=8080", "--env", f"THICKET_COMPAT={compat}")
    server = start((*PLATFORM, *bind, *mounted(tmp_path / "models", "/opt/ml/model")))
    call, place = server.call, "/opt/ml/model/{}".format

    def check(answer, status, message):
        assert (answer.status, answer.json["message"]) == (status, message)

    def invoke(name):
        return call.csv(f"/models/{name}/invoke", "0,0,1,0")

    assert call("GET", "/ping").status == 200
    assert call("GET", "/models").json == {"models": []}
    check(call("DELETE", "/models/pickled_model"), 404, "Model not found: pickled_model")
    check(invoke("pickled_model"), 404, "Model not found: pickled_model")
    for names in (["pickled_model"], ["pickled_model", "saved_booster"]):
        for name in names:
            assert server.load(name, place(name)).json == LOADED
        listed = [{"modelName": name, "modelUrl": place(name)} for name in names]
        assert call("GET", "/models").json == {"models": listed}
        for name in names:
            answer = invoke(name)
            assert answer.status == 200 and len(answer.json) == 1
        for name in names:
            assert call("DELETE", f"/models/{name}").json == {"status": f'Model "{name}" unregistered'}
            check(invoke(name), 404, f"Model not found: {name}")
    assert server.load("pickled_model", place("pickled_model")).json == LOADED
    check(server.load("pickled_model", place("pickled_model")), 409, "Model pickled_model is already registered.")


def test_awss_tests_of_its_inference_toolkit_pass(start, tmp_path):
    """What AWS's tests of multi-model containers of any framework do: models at the root, listed in order."""
    models, names = golden.unpack(tmp_path / "recorded"), ("resnet_152", "resnet_18")
    volumes = [word for name, ours in zip(names, ("reg", "ens")) for word in mounted(models / ours, f"/{name}")]
    server = start((*PLATFORM, *volumes))
    call = server.call
    assert call("GET", "/ping").status == 200
    assert call("GET", "/models").json == {"models": []}
    for name in reversed(names):
        assert server.load(name, f"/{name}").json == LOADED
    assert call("GET", "/models").json["models"] == [{"modelName": name, "modelUrl": f"/{name}"} for name in names]
    assert [server.invoke(name, ["0.1,0.2,0.3,0.4"]) for name in names] == [
        (200, [0.5954367518424988]),
        (200, [1.0273607969284058]),
    ]
    assert call("DELETE", "/models/resnet_152").json == {"status": 'Model "resnet_152" unregistered'}
    assert [model["modelName"] for model in call("GET", "/models").json["models"]] == ["resnet_18"]
    assert call("DELETE", "/models/resnet_152").status == 404
    assert server.load("none", "/none").status == 404
    assert server.load("resnet_18", "/resnet_18").status == 409


def test_alone_it_is_the_whole_endpoint(start):
    server = start(("--volume", f"{PREFIX}:/models:ro"), ("serve", "--models", "/models"))
    client = runtime_client(server.url)
    for house in HOUSES:
        rows = "\n".join(house.rows)
        answer = client.invoke_endpoint(
            EndpointName="houses", TargetModel=house.target, ContentType="text/csv", Body=rows
        )
        assert json.load(answer["Body"]) == house.prices


def test_onnxruntime_works_in_it(start, fixtures, tmp_path):
    case, folder = fixtures / "onnx" / "dense", tmp_path / "dense"
    folder.mkdir()
    shutil.copy(case / "model.onnx", folder)
    rows = (case / "input.csv").read_text().splitlines()
    expected = json.loads((case / "expected.json").read_text())["outputs"]["value"]["values"]
    server = start(mounted(folder, "/opt/ml/models/dense/model"))
    assert server.load("dense", "/opt/ml/models/dense/model").json == LOADED
    # The order of its sums is the processor's choice.
    assert server.invoke("dense", rows) == (200, pytest.approx(expected, rel=1e-6))


def test_xgboosts_library_works_in_it(start, fixtures, tmp_path):
    with tarfile.open(fixtures / "xgboost" / "3.0.5.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "linear"
    folder.mkdir()
    model = json.loads((tmp_path / "3.0.5" / "gblinear_reg" / "model.json").read_text())
    weights = model["learner"]["gradient_booster"]["model"]["weights"]
    features = int(model["learner"]["learner_model_param"]["num_feature"])
    start_of_sums = weights[-1] + float(model["learner"]["learner_model_param"]["base_score"])
    # ONNX cannot leave a missing value out of a product with infinity, so this model is the library's.
    weights[0] = math.inf
    (folder / "xgboost-model").write_text(json.dumps(model))
    server = start(mounted(folder, "/opt/ml/models/linear/model"))
    assert server.load("linear", "/opt/ml/models/linear/model").json == LOADED
    row = [""] * features
    row[1] = "2"
    expected = start_of_sums + 2 * weights[1]
    assert server.invoke("linear", [",".join(row)]) == (200, [pytest.approx(expected, rel=1e-6)])


def test_the_memory_for_models_is_most_of_the_containers(start):
    container = start()
    assert f"limit_bytes={256 * 2**20 // 100 * 80}" in container.log()


def test_models_of_more_memory_than_the_container_has_come_and_go_and_the_kernel_kills_nobody(start, tmp_path):
    models, cache = tmp_path / "models", tmp_path / "cache"
    models.mkdir()
    cache.mkdir(mode=0o777)
    cache.chmod(0o777)
    targets = [(f"model-{number:03}.tar.gz", HOUSES[number % len(HOUSES)]) for number in range(600)]
    for name, house in targets:
        shutil.copy(house.archive, models / name)
    # Their packs have 80 MB. What models may take is far more: only the pressure makes them leave.
    options = ("--memory", "48m", "--memory-swap", "48m", *mounted(models, "/models"), "--volume", f"{cache}:/cache")
    command = ("serve", "--models", "/models", "--cache-dir", "/cache", "--host", "0.0.0.0", "--memory-limit", "1GiB")
    container = start(options, command)
    deadline = time.monotonic() + 40
    while not Scrape(container.url)("thicket_evictions_total", reason="pressure"):
        assert time.monotonic() < deadline, "nobody left memory"
        for name, house in targets:
            row = len(name) % len(house.rows)
            answer = container.call.csv("/endpoints/any/invocations", house.rows[row], X_Amzn_SageMaker_Target_Model=name)
            assert (answer.status, answer.json) == (200, [house.prices[row]])
    assert container.state()["Running"] and not container.state()["OOMKilled"]


def large(number):
    """A booster as JSON of 24 MB or so: the trees of a small one, as often as it takes."""
    with tarfile.open(PREFIX.parents[1] / "xgboost/3.0.5.tar.gz") as archive:
        model = json.load(archive.extractfile("3.0.5/reg_pruned/model.json"))
    booster = model["learner"]["gradient_booster"]["model"]
    booster["trees"] = [tree | {"id": at} for at, tree in enumerate(booster["trees"] * 520)]
    booster["tree_info"] = [0] * len(booster["trees"])
    booster["iteration_indptr"] = list(range(len(booster["trees"]) + 1))
    booster["gbtree_model_param"]["num_trees"] = str(len(booster["trees"]))
    booster["trees"][0]["split_conditions"][-1] += number
    return json.dumps(model)


def test_large_artifacts_are_converted_in_turn_and_those_beyond_all_memory_refused(start, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    for number in range(4):
        (models / f"large-{number}").write_text(large(number))
    (models / "too-large").write_bytes(b"{" + b" " * (60 << 20))
    shutil.copy(HOUSES[0].archive, models / "house.tar.gz")
    options = ("--memory", "112m", "--memory-swap", "112m", *mounted(models, "/models"))
    container = start(options, ("serve", "--models", "/models", "--host", "0.0.0.0", "--model-max", "100MiB"))

    def ask(name, row=",".join(["0.5"] * 6)):
        return Client(container.url).csv("/endpoints/any/invocations", row, X_Amzn_SageMaker_Target_Model=name)

    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(ask, [f"large-{number}" for number in range(4)])
        refused = pool.submit(ask, "too-large").result()
        house = pool.submit(ask, "house.tar.gz", HOUSES[0].rows[0]).result()
        assert [answer.status for answer in answers] == [200] * 4
    assert refused.status in (503, 507) and "to convert it takes at least" in str(refused.json), refused
    assert (house.status, house.json) == (200, [HOUSES[0].prices[0]])
    assert container.state()["Running"] and not container.state()["OOMKilled"]

"""The container image: what lies in it, and that it serves as SageMaker runs it, stand-alone, and locked down.

THICKET_IMAGE names the image (default: thicket:test).
"""

import json
import os
import shutil
import stat
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import PurePosixPath

import boto3
import pytest
from botocore.config import Config

from process import Process

IMAGE = os.environ.get("THICKET_IMAGE", "thicket:test")
SIZE_MAX_MB = 100
STOP_S_MAX = 10
LOCKED_DOWN = ("--user", "12345:12345", "--read-only", "--tmpfs", "/tmp")
# What the platform sets, and AWS's own tests with it.
PLATFORM = ("--env", "SAGEMAKER_MULTI_MODEL=true", "--env", "SAGEMAKER_SAFE_PORT_RANGE=9000-9999")
LOADED = (200, {"status": "Workers scaled"})
TOOLS = set("sh bash busybox apt-get dpkg perl python3 pip make cc gcc ld cargo rustc".split())


def docker(*arguments):
    """Runs a command of Docker's client and returns what it prints."""
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {arguments}: {done.stderr}"
    return done.stdout.strip()


class Container:
    """A running container: `url` where the host reaches it."""

    def __init__(self, id_, port):
        self.id = id_
        self._process = Process(["docker", "start", "--attach", id_], r"listening on (http://\S+)")
        self.url = f"http://{docker('port', id_, port).splitlines()[0]}"

    def call(self, method, path, body=None, **headers):
        """Sends a request; returns status and the answer's JSON."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body and body.encode(), names, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def load(self, name, url):
        body = json.dumps({"model_name": name, "url": str(url)})
        return self.call("POST", "/models", body, Content_Type="application/json")

    def invoke(self, name, rows):
        return self.call("POST", f"/models/{name}/invoke", rows, Content_Type="text/csv")

    def stop(self):
        """Asks for an end as Docker does by default, and returns the exit code and the seconds that it took."""
        start = time.monotonic()
        docker("stop", "--time", "30", self.id)
        stop_s = time.monotonic() - start
        assert not self.state()["OOMKilled"]
        return self.state()["ExitCode"], stop_s

    def state(self):
        return json.loads(docker("inspect", "--format", "{{json .State}}", self.id))

    def close(self):
        self._process.stop()
        print(f"--- log of container {self.id}\n{self._process.log()}")


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


@pytest.fixture(scope="session")
def houses(fixtures):
    """Rows and expected prices of each city's model, by its name."""
    cities = {}
    for archive in sorted((fixtures / "houses" / "models").glob("*/model.tar.gz")):
        name = archive.parent.name
        rows = (fixtures / "houses" / f"{name}.csv").read_text()
        expected = json.loads((fixtures / "houses" / f"{name}.expected.json").read_text())
        cities[name] = rows, expected["value"]
    assert len(cities) == 4
    return cities


@pytest.fixture
def unpacked(tmp_path, fixtures, houses):
    """A folder with each city's archive unpacked to NAME/model/, readable for every user."""
    folder = tmp_path / "models"
    for name in houses:
        unpack(fixtures, name, folder / name / "model")
    return readable(folder)


def unpack(fixtures, name, folder):
    with tarfile.open(fixtures / "houses" / "models" / name / "model.tar.gz") as archive:
        archive.extractall(folder, filter="data")


def readable(folder):
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def mounted(folder, place):
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
def test_the_platforms_calls(start, unpacked, houses, options):
    server = start((*PLATFORM, *options, *mounted(unpacked, "/opt/ml/models")))
    assert server.call("GET", "/ping")[0] == 200
    assert server.call("GET", "/models") == (200, {"models": []})
    for name, (rows, expected) in houses.items():
        url = f"/opt/ml/models/{name}/model"
        assert server.load(name, url) == LOADED
        assert server.invoke(name, rows) == (200, expected)
        assert server.load(name, url)[0] == 409
        assert server.call("GET", f"/models/{name}")[1]["modelUrl"] == url
    assert [model["modelName"] for model in server.call("GET", "/models")[1]["models"]] == sorted(houses)
    for name, (rows, _) in houses.items():
        assert server.call("DELETE", f"/models/{name}") == (200, {"status": f'Model "{name}" unregistered'})
        status, answer = server.invoke(name, rows)
        assert (status, answer["message"]) == (404, f"Model not found: {name}")
    assert server.call("GET", "/models") == (200, {"models": []})


def test_models_mounted_where_awss_own_tests_mount_them(start, fixtures, houses, tmp_path):
    folder = tmp_path / "models"
    for name in houses:
        unpack(fixtures, name, folder / name)
    options = (*PLATFORM, "--env", "SAGEMAKER_BIND_TO_PORT=9123", *mounted(readable(folder), "/opt/ml/model"))
    server = start(options, port=9123)
    for name, (rows, expected) in houses.items():
        assert server.load(name, f"/opt/ml/model/{name}") == LOADED
        assert server.invoke(name, rows) == (200, expected)
    assert server.load("none", "/opt/ml/model/none")[0] == 404


def test_alone_it_is_the_whole_endpoint(start, fixtures, houses):
    server = start(mounted(fixtures / "houses" / "models", "/models"), ("serve", "--models", "/models"))
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="tests",
        aws_secret_access_key="tests",
        config=Config(retries={"total_max_attempts": 1}),
    )
    for name, (rows, expected) in houses.items():
        answer = client.invoke_endpoint(
            EndpointName="houses", TargetModel=f"{name}/model.tar.gz", ContentType="text/csv", Body=rows
        )
        assert json.load(answer["Body"]) == expected


def test_onnxruntime_works_in_it(start, fixtures, tmp_path):
    case, folder = fixtures / "onnx" / "dense", tmp_path / "dense"
    folder.mkdir()
    shutil.copy(case / "model.onnx", folder)
    rows = (case / "input.csv").read_text()
    expected = json.loads((case / "expected.json").read_text())["outputs"]["value"]["values"]
    server = start(mounted(readable(folder), "/opt/ml/models/dense/model"))
    assert server.load("dense", "/opt/ml/models/dense/model") == LOADED
    # The order of its sums is the processor's choice.
    assert server.invoke("dense", rows) == (200, pytest.approx(expected, rel=1e-6))


def test_xgboosts_library_works_in_it(start, fixtures, tmp_path):
    with tarfile.open(fixtures / "xgboost" / "3.0.5.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    case, folder = tmp_path / "3.0.5" / "gblinear_reg", tmp_path / "linear"
    folder.mkdir()
    shutil.copy(case / "xgboost-model", folder)
    # The last eight rows are for the readers of numbers.
    rows = "\n".join((case / "input.csv").read_text().splitlines()[:24])
    expected = json.loads((case / "expected.json").read_text())["value"]["data"][:24]
    server = start(mounted(readable(folder), "/opt/ml/models/linear/model"))
    assert server.load("linear", "/opt/ml/models/linear/model") == LOADED
    assert server.invoke("linear", rows) == (200, expected)

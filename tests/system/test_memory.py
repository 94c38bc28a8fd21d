"""What models take of the server's memory, and that it comes back: measured in the process, as the kernel counts it."""

import json
import shutil
import tarfile
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from houses import HOUSES
from http_client import Client
from scrape import Scrape

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures/xgboost"

MODELS = 50
# How long the server has to give more memory back, where it has to and where it may have given all.
PATIENCE_S = 30
STEADY_S = 0.5


def memory(pid, field):
    """Bytes of `field` in the kernel's account of the process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def heap(pid):
    """What the process has written and holds: its allocations and its threads' stacks, but no mapped model."""
    return memory(pid, "Anonymous")


def settled(pid, bound=0):
    """The heap once it is `bound` at the most, or else has stopped shrinking."""
    patience_s = PATIENCE_S if bound else STEADY_S
    least, since = heap(pid), time.monotonic()
    while least > bound and time.monotonic() < since + patience_s:
        time.sleep(STEADY_S / 50)
        now = heap(pid)
        if now < least:
            least, since = now, time.monotonic()
    return least


@pytest.fixture
def running(server, tmp_path):
    """A server whose prefix holds so many models, each converted on its own."""
    for number in range(MODELS):
        folder = tmp_path / "models" / f"{number}"
        folder.mkdir(parents=True)
        shutil.copy(HOUSES[number % len(HOUSES)].archive, folder / "model.tar.gz")
    return server("--models", tmp_path / "models", "--cache-dir", tmp_path / "cache", "--workers", "2")


def load_all(client):
    for number in range(MODELS):
        house = HOUSES[number % len(HOUSES)]
        answer = client.csv("/invocations", house.rows[0], X_Amzn_SageMaker_Target_Model=f"{number}/model.tar.gz")
        assert answer.json == [house.prices[0]]


def unload_all(client):
    models = client("GET", f"/models?limit={MODELS}").json["models"]
    assert len(models) == MODELS
    for model in models:
        assert client("DELETE", f"/models/{quote(model['modelName'], safe='')}").status == 200


def packs(folder):
    """The converted models in the cache."""
    found = [path for path in (folder / "cache").rglob("*") if path.is_file() and path.stat().st_size > 4096]
    assert len(found) == MODELS
    return found


def test_the_heap_after_unloading_everything_is_what_it_was(running, tmp_path):
    client, left = Client(running.url), []
    for round_number, convert_anew in enumerate((False, False, True) * 2):
        if convert_anew:
            for pack in packs(tmp_path):
                pack.unlink()
        load_all(client)
        unload_all(client)
        # What is made once, such as threads and their caches, is made by the first rounds.
        bound = 0 if round_number < 3 else 1.05 * max(left[:3])
        left.append(settled(running.pid, bound))
    assert max(left[3:]) <= bound, f"bytes that were left, round by round: {left}"


def test_a_resident_model_takes_little_more_than_its_pack(running, tmp_path):
    client = Client(running.url)
    load_all(client)
    unload_all(client)
    floor, mapped = settled(running.pid), memory(running.pid, "Rss") - heap(running.pid)
    load_all(client)
    packs_bytes = sum(pack.stat().st_size for pack in packs(tmp_path))
    heap_bytes = settled(running.pid) - floor
    taken = memory(running.pid, "Rss") - heap(running.pid) - mapped + max(heap_bytes, 0)
    assert 0.9 * packs_bytes < taken <= 1.1 * packs_bytes, f"{taken} bytes for {packs_bytes} of packs"


def network(number):
    """A graph of 2 MB that only ONNX Runtime runs."""
    random, wide = np.random.default_rng(number), 700
    weights = [(6, wide), (wide, wide), (wide, 1)]
    nodes, name = [], "input"
    for layer in range(len(weights)):
        nodes.append(helper.make_node("MatMul", [name, f"weights{layer}"], [f"sum{layer}"]))
        nodes.append(helper.make_node("Relu", [f"sum{layer}"], [name := f"layer{layer}"]))
    tensors = [
        numpy_helper.from_array((random.standard_normal(shape) / 30).astype(np.float32), f"weights{layer}")
        for layer, shape in enumerate(weights)
    ]
    value = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])
    graph = helper.make_graph(nodes, "network", [value("input", 6)], [value(name, 1)], tensors)
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def linear(number):
    """A booster of 2 MB that only XGBoost's library runs: ONNX cannot leave a missing value out of a product with infinity."""
    with tarfile.open(FIXTURES / "3.0.5.tar.gz") as archive:
        model = json.load(archive.extractfile("3.0.5/gblinear_reg/model.json"))
    features = 200_000
    weights = np.random.default_rng(number).standard_normal(features + 1)
    weights[0] = np.inf
    model["learner"]["learner_model_param"]["num_feature"] = str(features)
    model["learner"]["gradient_booster"]["model"]["weights"] = weights.tolist()
    model["learner"]["feature_names"] = model["learner"]["feature_types"] = []
    return json.dumps(model).encode()


@pytest.mark.parametrize(("file", "made"), [("model.onnx", network), ("xgboost-model", linear)])
def test_models_of_other_engines_count_as_what_the_heap_grows_by(server, tmp_path, file, made):
    models = 8
    for number in range(models):
        folder = tmp_path / "models" / f"{number}"
        folder.mkdir(parents=True)
        (folder / file).write_bytes(made(number))
    running = server("--models", tmp_path / "models", "--cache-dir", tmp_path / "cache", "--workers", "1")
    client, metrics = Client(running.url), lambda: Scrape(running.url)("thicket_models_memory_bytes")

    def load(numbers):
        for number in numbers:
            row = "1,2,3,4,5,6" if made is network else ",".join(["1"] * 200_000)
            answer = client.csv("/invocations", row, X_Amzn_SageMaker_Target_Model=f"{number}/{file}")
            assert answer.status == 200, answer

    # The first ones bring the library and what is made once.
    load(range(2))
    before, counted_before = settled(running.pid), metrics()
    load(range(2, models))
    grown, counted = settled(running.pid) - before, metrics() - counted_before
    # What the first prediction of each takes is not counted. By the size of their files it would be several times as much.
    assert counted_before > 0 and grown / 1.6 < counted < 1.6 * grown, f"{counted} for {grown} bytes"
    for number in range(models):
        assert client("DELETE", f"/models/{quote(f'{number}/{file}', safe='')}").status == 200
    assert metrics() == 0

"""`thicket-bench` against the real server: what it writes is there, adds up, and becomes a page."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from houses import HOUSES, PREFIX
from s3_server import PROGRAM as S3_PROGRAM

TIMEOUT_S = 60
CHARTS = ("warm", "cold", "course", "memory", "models")


@pytest.fixture(scope="module")
def bench():
    """Runs the built `thicket-bench`: THICKET_BENCH_BIN, or what the release build leaves."""
    built = Path(__file__).resolve().parents[2] / "target" / "release" / "thicket-bench"
    path = Path(os.environ.get("THICKET_BENCH_BIN", built))
    if not path.is_file():
        pytest.fail(f"{path} is missing; build it with: cargo build --release -p thicket-benches", pytrace=False)

    def run(*words):
        done = subprocess.run([path, *map(str, words)], capture_output=True, text=True, timeout=TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def results(folder, kind, name="thicket"):
    outcome = json.loads((folder / f"{kind}-{name}.json").read_text())
    assert outcome["kind"] == kind and outcome["circumstances"]["command"]
    return outcome["results"]


def http(bench, server, folder, name, *words):
    """Load on a running server, one model after the other."""
    route = ["--route", "/endpoints/houses/invocations", "--header", "x-amzn-sagemaker-target-model: {model}"]
    models = ",".join(house.target for house in HOUSES)
    rows = PREFIX.parent / f"{HOUSES[0].name}.csv"
    options = ["--model", models, "--rows", rows, "--pid", server.pid, "--warm-up", 50, "--out", folder]
    return bench("http", server.url, *route, *options, "--name", name, *words)


def test_a_server_under_load_is_measured_and_becomes_a_page(bench, server, binary, tmp_path):
    running = server("--models", PREFIX, "--cache-dir", tmp_path / "cache")
    out = tmp_path / "out"
    assert "p99.9" in http(bench, running, out, "closed", "--clients", 2, "--requests", 2000)
    http(bench, running, out, "paced", "--clients", 4, "--rate", 500, "--seconds", 1)
    http(bench, running, out, "refused", "--requests", 8, "--header", "accept: image/png")
    closed, paced, refused = (results(out, "http", name) for name in ("closed", "paced", "refused"))
    assert closed["summary"]["latency"]["count"] == 2000 and closed["summary"]["errors"] == {}
    assert sum(count for _, count in closed["summary"]["latency"]["buckets"]) == 2000
    assert closed["memory"][-1][1]["pss_bytes"] > 1 << 20 and closed["processor_us"] > 0
    assert paced["summary"]["latency"]["count"] == 500 and 300 < paced["summary"]["per_second"] <= 510
    assert refused["summary"]["latency"]["count"] == 0 and sum(refused["summary"]["errors"].values()) == 8
    bench("cold", "--thicket", binary, "--models", 8, "--out", out)
    states = {state["state"]: state["latency"]["count"] for state in results(out, "cold")}
    assert states == {"never seen": 8, "warm": 80, "cached on disk": 8, "evicted before": 8}
    page = Path(bench("report", out).strip()).read_text()
    assert page.count("<svg ") == 3 and "evicted before" in page and "paced" in page


def test_files_are_converted_and_their_packs_opened(bench, tmp_path):
    files = [PREFIX / house.target for house in HOUSES[:2]]
    assert "MB/s" in bench("conversion", *files, "--rounds", 3, "--out", tmp_path)
    figures = results(tmp_path, "conversion")
    assert [figure["file"] for figure in figures] == [str(file) for file in files]
    for figure, file in zip(figures, files, strict=True):
        assert figure["bytes"] == file.stat().st_size and 0 < figure["opened_us"] < figure["converted_us"]
    page = Path(bench("report", tmp_path).strip()).read_text()
    assert "Conversion in process" in page and str(files[1]) in page


def test_more_models_than_fit_come_and_go(bench, binary, tmp_path):
    words = ["--models", 40, "--memory-limit", "1MiB", "--clients", 2, "--seconds", 1, "--interval", 0.2]
    bench("zipf", "--thicket", binary, *words, "--out", tmp_path)
    figures = results(tmp_path, "zipf")
    assert figures["summary"]["errors"] == {} and figures["summary"]["latency"]["count"] > 40
    assert 0 < figures["hit_ratio"] < 1 and figures["memory_limit_bytes"] == 1 << 20
    last = figures["intervals"][-1]
    assert 0 < last["resident_models"] < 40 and last["models_bytes"] <= 1 << 20 and last["evictions"] > 0
    assert any(interval["cold_p50_us"] for interval in figures["intervals"])
    page = Path(bench("report", tmp_path).strip()).read_text()
    assert "Models in memory" in page


def density(bench, binary, out, *words):
    places = ["--thicket", binary, "--s3-server", S3_PROGRAM, "--out", out]
    rates = ["--rate", 400, "--cold-rate", 40, "--seconds", 1]
    return bench("density", *places, *rates, *words)


def test_many_models_from_s3_in_little_memory(bench, binary, tmp_path):
    said = density(bench, binary, tmp_path, "--models", 200, "--no-group", "--limit", 6 << 20)
    assert "failed or wrong answers" in said
    figures = results(tmp_path, "density")
    phases = figures["phases"]
    streams = [phases[name]["summary"] for name in ("fill", "mixed", "warm", "poison", "cold")]
    streams += [phases["never_seen"], phases["from_cache"]]
    assert [stream["errors"] for stream in streams] == [{}] * len(streams)
    assert phases["fill"]["loads"]["converted"] == phases["fill"]["summary"]["latency"]["count"] == 160
    assert phases["never_seen"]["latency"]["count"] == phases["cold"]["loads"]["converted"] == 20
    assert phases["from_cache"]["latency"]["count"] == 20 <= phases["cold"]["loads"]["cached"]
    assert phases["warm"]["summary"]["latency"]["count"] == 400 and phases["warm"]["hit_ratio"] > 0.9
    assert phases["poisoned"]["latency"]["count"] == 0 and sum(phases["poisoned"]["errors"].values()) == 40
    assert 8 <= phases["poison"]["loads"]["failed"] <= 16 and phases["poison"]["summary"]["latency"]["count"] == 400
    assert 0 < phases["cold"]["resident_models"] < 100 and figures["is_alive"]
    document = tmp_path / "density.md"
    document.write_text("above\n<!-- figures: written by `make density` -->\n<!-- end of figures -->\nbelow\n")
    page = Path(bench("report", tmp_path, "--into", document).splitlines()[0]).read_text()
    assert "Many models in little memory" in page and page.count("<svg ") == 5
    text = document.read_text()
    assert text.startswith("above\n") and text.endswith("below\n") and "| never seen |" in text.replace("cold: ", "")
    assert all((tmp_path / f"density-{name}.svg").read_text().endswith("</svg>\n") for name in CHARTS)


def test_the_kernels_limit_is_there_or_its_lack_is_told(bench, binary, tmp_path):
    try:
        density(bench, binary, tmp_path, "--models", 40, "--limit", 256 << 20)
    except AssertionError as error:
        assert "thicket-bench: a memory limit needs a memory cgroup" in str(error)
        return
    figures = results(tmp_path, "density")
    assert figures["kills"] == 0 and figures["is_alive"]
    last = figures["course"][-1]
    assert 0 < last["anonymous_bytes"] < last["all_bytes"] <= 256 << 20
    # Nothing else limits what models may take.
    assert last["models_limit_bytes"] == pytest.approx(0.8 * (256 << 20), rel=0.01)


def test_models_come_and_go_and_nothing_is_left(bench, binary, tmp_path):
    assert "stand-alone" in bench("soak", "--thicket", binary, "--cycles", 3000, "--out", tmp_path)
    for figures in results(tmp_path, "soak"):
        assert figures["complaints"] == [] and figures["cycles"] == 1500 and len(figures["holdings"]) == 10
        assert figures["loads"] > 1000
        assert figures["evictions"] > 1000 or figures["mode"] == "Container"


def test_what_cannot_be_measured_is_told_in_a_line(bench, tmp_path):
    with pytest.raises(AssertionError, match="thicket-bench: .*no results"):
        bench("report", tmp_path)

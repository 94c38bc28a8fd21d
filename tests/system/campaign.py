#!/usr/bin/env python3
"""Damaged models given to thicket, to XGBoost and to ONNX Runtime in one run: who accepts, who crashes, who hangs.

usage: campaign.py THICKET [--files N] [--seed N] [--keep FOLDER]

Boosters of the installed XGBoost are damaged. XGBoost and ONNX Runtime read each file in a process of its own, which
may die of it; thicket is one anyway. What XGBoost and thicket both accept has to have the same margins, to the bit.
Prints a table; exits with 1 where thicket crashed, took over a second, or answered otherwise than XGBoost.
"""

import argparse
import collections
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# A forked process has no threads but its own: one that waits for others would wait for ever. Read at import.
os.environ["OMP_NUM_THREADS"] = os.environ["OMP_THREAD_LIMIT"] = "1"

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import xgboost  # noqa: E402

from random_models import random_model  # noqa: E402

FORMS = ("json", "ubj", "deprecated")
ORIGINALS = 40
FEATURES_MAX = 40
SECONDS_MAX = 5
SLOW_SECONDS = 1
MEMORY_MAX = 4 << 30

KINDS = ("bits", "bits", "bits", "cut", "repeat", "remove", "extreme", "extreme", "number", "number", "member")
NUMBERS = (b"0", b"-0", b"-1", b"1", b"2147483647", b"2147483648", b"1e38", b"1e-45", b"16777216", b"0.25")
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 1 << 24, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 64) - 1)

CRASHED, HUNG, REFUSED, OUT_OF_MEMORY = "crashed", "hung", "refused", "out of memory"
REFUSED_EXIT, MEMORY_EXIT = 2, 3


@dataclass
class Original:
    """A whole model, and the rows that its damaged copies have to score."""

    form: str
    content: bytes
    rows: np.ndarray
    rows_path: Path


def originals(binary, seed, folder):
    """Whole models in every form; linear ones are left out, which thicket gives to XGBoost's own library."""
    found = number = 0
    while found < ORIGINALS:
        model = random_model(seed, number)
        number += 1
        if model is None or model.rows.shape[1] > FEATURES_MAX or "'gblinear'" in model.description:
            continue
        found += 1
        rows_path = folder / f"rows.{number}.csv"
        rows_path.write_text("".join(",".join(repr(float(cell)) for cell in row) + "\n" for row in model.rows))
        for form, content in forms(binary, model.booster, folder):
            yield Original(form, content, model.rows, rows_path)


def forms(binary, booster, folder):
    for form in FORMS:
        try:
            yield form, bytes(booster.save_raw(form))
        except ValueError:
            # Categories, vector leaves and several targets have no place in the legacy form.
            continue
    source, target = folder / "whole.json", folder / "whole.onnx"
    source.write_bytes(bytes(booster.save_raw("json")))
    subprocess.run([binary, "convert", source, "-o", target], check=True, capture_output=True)
    yield "onnx", target.read_bytes()


def damaged(content, random):
    """The file, damaged in one way."""
    content = bytearray(content)
    at, kind = int(random.integers(len(content))), str(random.choice(KINDS))
    if kind == "bits":
        for _ in range(int(random.integers(1, 4))):
            content[int(random.integers(len(content)))] ^= 1 << int(random.integers(8))
    elif kind == "cut":
        del content[at:]
    elif kind == "repeat":
        content[at:at] = content[at : at + int(random.integers(1, 64))]
    elif kind == "remove":
        del content[at : at + int(random.integers(1, 16))]
    elif kind == "extreme":
        width, number = int(random.choice([1, 2, 4, 8])), EXTREMES[int(random.integers(len(EXTREMES)))]
        number &= (1 << (8 * width)) - 1
        content[at : at + width] = number.to_bytes(width, str(random.choice(["little", "big"])))
    elif kind == "number":
        found = re.compile(rb"-?\d[\d.E+-]*").search(content, at)
        if found:
            content[found.start() : found.end()] = NUMBERS[int(random.integers(len(NUMBERS)))]
    else:
        start = content.find(b",", at)
        content[start:start] = content[start : max(content.find(b",", start + 1), start)]
    return bytes(content)


def has_version(form, content):
    """Whether the file still says that the installed version wrote it; others have rules of their own."""
    major, minor, patch = (int(part) for part in xgboost.__version__.split("."))
    return {
        "json": b'"version":[%d,%d,%d]' % (major, minor, patch),
        "ubj": b"version[#L" + struct.pack(">q", 3) + b"".join(b"i" + bytes([part]) for part in (major, minor, patch)),
        "deprecated": struct.pack("<ii", major, minor),
    }[form] in content


def in_a_child(work):
    """What `work` returns in a forked process with bounds, or in a word what became of it; and seconds."""
    reading, writing = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        work_and_exit(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - start
    if os.WIFSIGNALED(status):
        return HUNG if os.WTERMSIG(status) == signal.SIGALRM else CRASHED, seconds
    if os.WEXITSTATUS(status):
        return OUT_OF_MEMORY if os.WEXITSTATUS(status) == MEMORY_EXIT else REFUSED, seconds
    (columns,) = struct.unpack_from("<q", answer)
    return np.frombuffer(answer, np.float32, offset=8).reshape(-1, columns), seconds


def work_and_exit(work, writing):
    """What the forked process does; never returns."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    signal.alarm(SECONDS_MAX)
    code = 0
    try:
        answer = np.ascontiguousarray(work(), dtype=np.float32)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(struct.pack("<q", answer.shape[1]) + answer.tobytes())
    except Exception as error:
        code = MEMORY_EXIT if isinstance(error, MemoryError) or "alloc" in str(error) else REFUSED_EXIT
    os._exit(code)


def xgboost_margins(path, rows):
    booster = xgboost.Booster({"nthread": 1}, model_file=str(path))
    answer = booster.predict(xgboost.DMatrix(rows, nthread=1), output_margin=True, validate_features=False)
    return answer.reshape(len(rows), -1)


def onnxruntime_margins(path, rows):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})[0].reshape(len(rows), -1)


def thicket_margins(binary, path, rows_path):
    """As `in_a_child`, and what the program complained about."""
    command = [binary, "predict", "--output", "margin", "--input", rows_path, path]
    start = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return HUNG, SECONDS_MAX, ""
    seconds, complaint = time.monotonic() - start, done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return np.array([line.split(b",") for line in done.stdout.splitlines()], dtype=np.float32), seconds, ""
    return (REFUSED if done.returncode == 1 and "panicked" not in complaint else CRASHED), seconds, complaint


def is_same(one, other):
    """Whether numbers are equal to the bit, any NaN being equal to any other."""
    if one.shape != other.shape:
        return False
    return bool(np.all((one.view(np.int32) == other.view(np.int32)) | (np.isnan(one) & np.isnan(other))))


class Campaign:
    """Counts by form, and the files that were kept because thicket did wrong."""

    def __init__(self, binary, keep):
        self.binary, self.keep = binary, keep
        self.counts = collections.defaultdict(collections.Counter)
        self.faults = []

    def check(self, original, content, path):
        """Gives one damaged file to both."""
        form, counts = original.form, self.counts[original.form]
        path.write_bytes(content)
        if form == "onnx":
            theirs, seconds = in_a_child(lambda: onnxruntime_margins(path, original.rows))
        else:
            theirs, seconds = in_a_child(lambda: xgboost_margins(path, original.rows))
        ours, our_seconds, complaint = thicket_margins(self.binary, path, original.rows_path)
        we, they = not isinstance(ours, str), not isinstance(theirs, str)
        counts["files"] += 1
        counts[{(True, True): "both", (True, False): "only we", (False, True): "only they"}.get((we, they), "none")] += 1
        counts[f"they {theirs}" if not they else "they accepted"] += 1
        counts["they slow"] += seconds > SLOW_SECONDS
        if not we and ours != REFUSED:
            self.fault(form, content, f"{ours}: {complaint}")
        if our_seconds > SLOW_SECONDS:
            self.fault(form, content, f"took {our_seconds:.1f} s")
        if we and they and form != "onnx":
            self.compare(form, content, ours, theirs)

    def compare(self, form, content, ours, theirs):
        if is_same(ours, theirs):
            self.counts[form]["same"] += 1
        elif not has_version(form, content):
            self.counts[form]["other version"] += 1
        else:
            self.fault(form, content, f"other margins: {ours[:3].tolist()}, XGBoost {theirs[:3].tolist()}")

    def fault(self, form, content, what):
        self.counts[form]["faults"] += 1
        kept = self.keep / f"fault-{len(self.faults)}.{form}"
        kept.write_bytes(content)
        self.faults.append(f"{kept}: {what}")

    def table(self):
        columns = ("files", "both", "same", "other version", "only we", "only they", "none",
                   "they crashed", "they hung", "they slow", "they out of memory", "faults")  # fmt: skip
        lines = ["form        " + "  ".join(columns)]
        for form, counts in self.counts.items():
            lines.append(f"{form:12}" + "  ".join(f"{counts[column]:>{len(column)}}" for column in columns))
        return "\n".join(lines)


def run(binary, files, seed, keep):
    """Damages so many files in turn and returns the campaign."""
    keep.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(binary, keep)
    with tempfile.TemporaryDirectory() as folder:
        whole = list(originals(binary, seed, Path(folder)))
        for number in range(files):
            random = np.random.default_rng([seed, number])
            original = whole[int(random.integers(len(whole)))]
            campaign.check(original, damaged(original.content, random), Path(folder) / f"model.{original.form}")
    return campaign


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("thicket", type=Path)
    parser.add_argument("--files", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=20200117)
    parser.add_argument("--keep", type=Path, default=Path("target/campaign"))
    options = parser.parse_args()
    campaign = run(options.thicket.resolve(), options.files, options.seed, options.keep)
    print(f"seed {options.seed}; they are XGBoost {xgboost.__version__}, or ONNX Runtime {onnxruntime.__version__} for onnx")
    print(campaign.table())
    print("\n".join(campaign.faults))
    sys.exit(bool(campaign.faults))


if __name__ == "__main__":
    main()

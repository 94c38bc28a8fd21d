#!/usr/bin/env python3
"""Times oneDAL's trees through daal4py: usage and output as those of the Rust driver `kernels`.

usage: daal4py_kernels.py SECONDS BATCH[,BATCH ...] FOLDER ...

Its only interface is Python's, so that the time of a call (several microseconds) is in the figures of one row.
"""

import json
import sys
import time
from pathlib import Path

import daal4py
import numpy
import xgboost

SINGLE_ROWS, BATCHED_ROWS, PASSES_MIN = 1024, 10_240, 2


def fastest(model, rows, batch, seconds):
    """Returns ns per row of a pass whose calls each count with the fastest of several passes, as rust/ does."""
    count = min(len(rows), SINGLE_ROWS if batch == 1 else max(BATCHED_ROWS, batch))
    parts = [rows[first : first + batch] for first in range(0, count - batch + 1, batch)]
    best = [float("inf")] * len(parts)
    passes, end = 0, time.perf_counter() + seconds
    while passes < PASSES_MIN or time.perf_counter() < end:
        for at, part in enumerate(parts):
            began = time.perf_counter_ns()
            model.predict(part)
            best[at] = min(best[at], time.perf_counter_ns() - began)
        passes += 1
    return sum(best) / (len(parts) * batch)


def main():
    seconds, batches = float(sys.argv[1]), sys.argv[2].split(",")
    daal4py.daalinit(1)
    for folder in map(Path, sys.argv[3:]):
        try:
            features = json.loads((folder / "meta.json").read_text())["features"]
            rows = numpy.fromfile(folder / "rows.f32", "<f4").reshape(-1, features)
            model = daal4py.mb.convert_model(xgboost.Booster(model_file=folder / "model.ubj"))
            for batch in map(int, batches):
                figure = fastest(model, rows, batch, seconds)
                print(json.dumps({"workload": folder.name, "batch": batch, "ns_per_row": figure}), flush=True)
        except Exception as error:
            print(json.dumps({"workload": folder.name, "error": f"{type(error).__name__}: {error}"}), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times readers of CSV in Python on each body and prints a line of JSON for each: usage: texts.py SECONDS FOLDER.

pyarrow, polars and pandas have one thread; `AWS's Python` is what the container's toolkit does (aws/booster.py).
"""

import csv
import io
import json
import os
import sys
import time
from pathlib import Path

# Before polars is imported, which makes its threads then.
os.environ["POLARS_MAX_THREADS"] = "1"

import numpy
import pandas
import polars
import pyarrow
import pyarrow.csv


def with_pyarrow(text):
    width = text[: text.index(b"\n")].count(b",") + 1
    names = [f"f{column}" for column in range(width)]
    reading = pyarrow.csv.ReadOptions(use_threads=False, column_names=names)
    types = pyarrow.csv.ConvertOptions(column_types={name: pyarrow.float32() for name in names})
    return pyarrow.csv.read_csv(io.BytesIO(text), reading, convert_options=types)


def with_polars(text):
    width = text[: text.index(b"\n")].count(b",") + 1
    types = {f"f{column}": polars.Float32 for column in range(width)}
    return polars.read_csv(text, has_header=False, schema=types)


def with_pandas(text):
    return pandas.read_csv(io.BytesIO(text), header=None, dtype=numpy.float32)


def with_aws(text):
    lines = text.decode().strip().split("\n")
    delimiter = csv.Sniffer().sniff(lines[0][:512]).delimiter
    return numpy.array([[cell or "nan" for cell in line.split(delimiter)] for line in lines]).astype(float)


READERS = {"pyarrow": with_pyarrow, "polars": with_polars, "pandas": with_pandas, "AWS's Python": with_aws}


def best(read, text, seconds):
    """Returns the highest GB/s of the passes that fit into the seconds, one at least."""
    fastest, end = float("inf"), time.perf_counter() + seconds
    while fastest == float("inf") or time.perf_counter() < end:
        began = time.perf_counter_ns()
        read(text)
        fastest = min(fastest, time.perf_counter_ns() - began)
    return len(text) / fastest


def main():
    seconds, folder = float(sys.argv[1]), Path(sys.argv[2])
    pyarrow.set_cpu_count(1)
    for path in sorted(folder.glob("*.csv")):
        text = path.read_bytes()
        for name, read in READERS.items():
            try:
                figure = {"gb_per_s": best(read, text, seconds)}
            except Exception as error:
                figure = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps({"reader": name, "body": path.stem, **figure}), flush=True)


if __name__ == "__main__":
    main()

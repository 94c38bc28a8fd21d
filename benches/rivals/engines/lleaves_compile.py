#!/usr/bin/env python3
"""Compiles a LightGBM model to a shared library by lleaves: usage: lleaves_compile.py WORKLOAD LIBRARY."""

import subprocess
import sys
from pathlib import Path

import lleaves


def main():
    folder, library = Path(sys.argv[1]), Path(sys.argv[2])
    compiled = library.with_suffix(".o")
    lleaves.Model(model_file=str(folder / "model.txt")).compile(cache=compiled, raw_score=True)
    subprocess.run(["gcc", "-shared", "-o", library, compiled, "-lm"], check=True)


if __name__ == "__main__":
    main()

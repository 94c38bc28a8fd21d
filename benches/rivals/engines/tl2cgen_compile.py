#!/usr/bin/env python3
"""Compiles a model to a shared library by TL2cgen and gcc -O3: usage: tl2cgen_compile.py WORKLOAD LIBRARY."""

import os
import sys
from pathlib import Path

import tl2cgen
import treelite

# The generated code is cut into so many files, or gcc would need hours and gigabytes for one.
FILES = 64


def main():
    folder, library = Path(sys.argv[1]), Path(sys.argv[2])
    if (folder / "model.txt").exists():
        model = treelite.frontend.load_lightgbm_model(str(folder / "model.txt"))
    else:
        model = treelite.frontend.load_xgboost_model(str(folder / "model.ubj"), format_choice="ubjson")
    aside = library.with_name(f"{library.stem}-{os.getpid()}.so")
    tl2cgen.export_lib(model, toolchain="gcc", libpath=aside, params={"parallel_comp": FILES}, options=["-O3"])
    aside.rename(library)


if __name__ == "__main__":
    main()

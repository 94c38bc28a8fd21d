#!/usr/bin/env python3
"""Fills corpus/ with small fixtures of each form, where fuzzing starts.

usage: seeds.py THICKET
"""

import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "tests" / "fixtures"
CASES = ("reg_one_leaf", "categorical_onehot", "vector_leaf_reg", "dart_binary", "gblinear_reg", "binary_hinge")
BYTES_MAX = 5_500


def seed(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def converted(thicket, name, content):
    """The ONNX of a booster that has one."""
    folder = HERE / "corpus" / "onnx"
    source, target = folder / "source", folder / name
    folder.mkdir(parents=True, exist_ok=True)
    source.write_bytes(content)
    subprocess.run([thicket, "convert", source, "-o", target], check=False, capture_output=True)
    source.unlink()


def main():
    for path in sorted((FIXTURES / "xgboost").glob("*.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                version, case, file = (member.name.split("/") + ["", ""])[:3]
                if case not in CASES or file in ("input.csv", "expected.json") or not 0 < member.size < BYTES_MAX:
                    continue
                content, name = archive.extractfile(member).read(), f"{version}-{case}-{file}"
                if file.endswith((".pkl", ".json", ".ubj")) or "xgboost-model" in file:
                    seed("booster", name, content)
                if file == "model.json":
                    converted(sys.argv[1], f"{version}-{case}.onnx", content)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Fills corpus/ with small fixtures of each form, where fuzzing starts.

usage: seeds.py THICKET PACK

THICKET is the server's program and PACK the engine's example of that name. Packs of a former version are replaced.
"""

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "tests" / "fixtures"
CASES = ("reg_one_leaf", "categorical_onehot", "vector_leaf_reg", "dart_binary", "gblinear_reg", "binary_hinge")
BYTES_MAX = 5_500
ROWS = {
    "plain": b"0.1,0.2\n0.3,0.4",
    "windows": b"1,2\r\n3,4\r\n",
    "missing": b",nan,\n1,,-NaN\n",
    "exponents": b"1e3,1E-2,+5.,.5\n1e-46,3.4028235e38,-0,1_000\n",
    "padded": b" 1 ,\t2\x0b,3 \x0c\n",
    "long": b"000000000000000000000001,123456789012345678901234567890,999999999999999\n",
    "signed": b"-0.4551,-12.345678,-.5,-7\n-100.000001,-99.5,-0.0000001,1234567.89012345\n",
    "wide": b"1," * 300 + b"1" + b"0" * 300 + b"e-300\n",
    "repeated": b"5.123456789012345e-1,,-1.5E+10,0.1\r\n" * 20,
    "rounded": b"1.00000005960464477540,1.0000000596046448,1.000000059604645",
    "ragged": b"1,2\n\n3",
    "words": b"price,NA,inf,1__0,0x10\n",
    "no-text": b"1,\xff\xfe\n",
}


def seed(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def form(file, content):
    """The target that reads a model file."""
    if file.endswith(".pkl"):
        return "pickle"
    if content[:1] != b"{":
        return "legacy"
    return "ubjson" if content[1:2] in b"Li$#" else "json"


def made(target, name, content, *command):
    """Keeps what `command SOURCE TARGET` makes of a model file, where it makes anything."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "model", Path(folder) / "result"
        source.write_bytes(content)
        places = [source if part == "SOURCE" else result if part == "TARGET" else part for part in command]
        if subprocess.run(places, check=False, capture_output=True).returncode == 0:
            seed(target, name, result.read_bytes())


def boosters(thicket, pack):
    for path in sorted((FIXTURES / "xgboost").glob("*.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                version, case, file = (member.name.split("/") + ["", ""])[:3]
                if case not in CASES or file in ("input.csv", "expected.json") or not 0 < member.size < BYTES_MAX:
                    continue
                content, name = archive.extractfile(member).read(), f"{version}-{case}"
                seed(form(file, content), f"{name}-{file}", content)
                if file == "model.json":
                    made("onnx", f"{name}.onnx", content, thicket, "convert", "SOURCE", "-o", "TARGET")
                    made("pack", f"{name}.pack", content, pack, "SOURCE", "TARGET")


def graphs(pack):
    """The smallest graphs of every tool but ours, and their packs."""
    for path in sorted((FIXTURES / "onnx_trees").glob("*.tar.gz")):
        with tarfile.open(path) as archive:
            models = [member for member in archive if member.name.endswith("/model.onnx")]
            for member in sorted(models, key=lambda member: member.size)[:3]:
                content, name = archive.extractfile(member).read(), "-".join(member.name.split("/")[:2])
                if len(content) < BYTES_MAX:
                    seed("onnx", f"{name}.onnx", content)
                    made("pack", f"{name}.pack", content, pack, "SOURCE", "TARGET")


def archived(*files):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def archives():
    kfold = FIXTURES / "container" / "kfold"
    members = [(f"xgboost-model-{at}", (kfold / f"xgboost-model-{at}").read_bytes()) for at in (0, 1)]
    one = members[0][1]
    seed("archive", "one.tar", archived(("xgboost-model", one)))
    seed("archive", "two.tar", archived(*members))
    seed("archive", "around.tar", archived(("./xgboost-model", one), (".hidden", b"x"), ("folder/file", b"y")))
    seed("archive", "twice.tar", archived(("xgboost-model", one), ("xgboost-model", one)))
    seed("archive", "empty.tar", archived())


def main():
    thicket, pack = sys.argv[1:]
    for stale in (HERE / "corpus" / "pack").glob("*.pack"):
        stale.unlink()
    boosters(thicket, pack)
    graphs(pack)
    archives()
    for name, content in ROWS.items():
        seed("csv", f"{name}.csv", content)


if __name__ == "__main__":
    main()

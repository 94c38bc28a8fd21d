"""Archives as `tar`, `gzip` and Python really write them, joined and padded: what tar or Python unpacks is served."""

import gzip
import io
import subprocess
import tarfile

import numpy as np
import pytest

from houses import HOUSES

HOUSE = HOUSES[0]
MODEL = "xgboost-model"
# GNU gzip takes zeros for the end; Python reads on behind them.
PYTHON_ONLY = "members-and-zeros.tar.gz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the model and nothing else."""
    return HOUSE.unpack(tmp_path_factory.mktemp("archives") / "house")


def tar(folder, *options):
    return subprocess.run(["tar", *options, "-cf", "-", MODEL], cwd=folder, check=True, capture_output=True).stdout


def python_tar(folder, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        archive.add(folder / MODEL, arcname=MODEL)
    return out.getvalue()


def without_end(content):
    """The archive without the blocks of zeros that should end it."""
    return content[: -(-len(content.rstrip(b"\0")) // 512) * 512]


def archives(folder):
    """Archives that hold the model, by name."""
    plain = tar(folder)
    short = without_end(plain)
    half = len(plain) // 2
    yield "gnu.tar", plain
    yield "gnu.tar.gz", tar(folder, "-z")
    yield "gnu-long-records.tar.gz", gzip.compress(tar(folder, "--blocking-factor=2000"))
    for name in ("v7", "oldgnu", "ustar", "posix"):
        yield f"{name}.tar.gz", tar(folder, "-z", f"--format={name}")
    for name, form in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        yield f"python-{name}.tar", python_tar(folder, form)
    for name, content in (("no-end", short), ("half-an-end", short + bytes(512)), ("padded", plain + bytes(100_000))):
        yield f"{name}.tar", content
        yield f"{name}.tar.gz", gzip.compress(content)
    yield "zeros-behind.tar.gz", gzip.compress(plain) + bytes(100_000)
    yield "two-members.tar.gz", gzip.compress(plain[:half]) + gzip.compress(plain[half:])
    yield PYTHON_ONLY, b"".join(gzip.compress(part) + bytes(9) for part in (plain[:half], b"", plain[half:]))
    yield "joined.tar.gz", gzip.compress(plain) * 2
    yield "joined.tar", plain * 2


def refused(folder):
    """Archives that are refused, by name, and a part of the reason."""
    whole = gzip.compress(tar(folder))
    yield "garbage-behind.tar.gz", whole + b"garbage", "expected zeros or another gzip stream"
    yield "garbage-behind-zeros.tar.gz", whole + bytes(9) + b"garbage", "expected zeros or another gzip stream"
    yield "cut-member-behind.tar.gz", whole + whole[:-1], "damaged archive"
    yield "damaged-member-behind.tar.gz", whole + whole[:-8] + bytes(8), "damaged archive"
    yield "bomb-behind.tar.gz", whole + gzip.compress(bytes(16 << 20)) * 40, "far more bytes"


def predict(binary, folder, archive):
    rows = folder.parent / "rows.csv"
    rows.write_text("\n".join(HOUSE.rows))
    return subprocess.run([binary, "predict", "--input", rows, archive], capture_output=True, text=True, timeout=20)


def check_others_unpack(archive, model):
    """Whether GNU tar and Python find the model in the archive too."""
    with tarfile.open(archive) as opened:
        assert opened.extractfile(MODEL).read() == model, archive
    if archive.name != PYTHON_ONLY:
        unpacked = subprocess.run(["tar", "-xOf", archive, MODEL], check=True, capture_output=True)
        assert unpacked.stdout == model, archive


def test_what_others_unpack_is_served(binary, folder, tmp_path):
    model = (folder / MODEL).read_bytes()
    for name, content in archives(folder):
        archive = tmp_path / name
        archive.write_bytes(content)
        check_others_unpack(archive, model)
        done = predict(binary, folder, archive)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert [float(np.float32(line)) for line in done.stdout.split()] == HOUSE.prices, name


def test_what_follows_an_archive_has_to_be_padding_or_whole(binary, folder, tmp_path):
    for name, content, reason in refused(folder):
        archive = tmp_path / name
        archive.write_bytes(content)
        done = predict(binary, folder, archive)
        assert done.returncode == 1 and reason in done.stderr, f"{name}: {done}"


def test_more_padding_than_a_model_archive_could_have_is_not_read(binary, folder, tmp_path):
    archive = tmp_path / "padded.tar.gz"
    archive.write_bytes(gzip.compress(tar(folder)))
    with archive.open("r+b") as file:
        file.truncate(1 << 40)
    done = predict(binary, folder, archive)
    assert done.returncode == 1 and "far more than a model archive" in done.stderr, done

"""Archives made to hurt: each is refused with the reason, soon, in bounded memory, and nothing of it stays on disk.

One server whose address space is bounded is asked for each; at the end it still answers for a good model.
"""

import gzip
import io
import resource
import tarfile
import time

import pytest

from houses import HOUSES
from http_client import Client

ADDRESS_SPACE_MAX = 512 << 20
SECONDS_MAX = 2
MODEL = "xgboost-model"


def entry(name, content=b"", kind=tarfile.REGTYPE, form=tarfile.GNU_FORMAT, **fields):
    """The blocks of one entry."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(form) + content + bytes(-len(content) % 512)


def gzipped(*blocks):
    return gzip.compress(b"".join(blocks) + bytes(1024), compresslevel=6)


def with_sum_broken(block):
    return block[:148] + b"000000\0 " + block[156:]


def sparse(name):
    """A file in GNU's old sparse form that claims a TiB of zeros."""
    block = bytearray(entry(name, kind=tarfile.GNUTYPE_SPARSE))
    block[483:495] = b"\x80" + (1 << 40).to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


def size_field(name, number):
    """An entry that claims so many bytes."""
    return entry(name, size=number)


ZEROS = bytes(16 << 20)
# name: (archive, a part of the reason)
HOSTILE = {
    "symbolic-link": (gzipped(entry(MODEL, kind=tarfile.SYMTYPE, linkname="/etc/passwd")), "neither a file nor"),
    "hard-link": (gzipped(entry(MODEL, kind=tarfile.LNKTYPE, linkname="/etc/passwd")), "neither a file nor"),
    "character-device": (gzipped(entry(MODEL, kind=tarfile.CHRTYPE, devmajor=1, devminor=5)), "neither a file nor"),
    "block-device": (gzipped(entry(MODEL, kind=tarfile.BLKTYPE)), "neither a file nor"),
    "pipe": (gzipped(entry(MODEL, kind=tarfile.FIFOTYPE)), "neither a file nor"),
    "parent": (gzipped(entry("../" + MODEL, b"x")), "leads out"),
    "parent-below": (gzipped(entry("code/../../" + MODEL, b"x")), "leads out"),
    "absolute": (gzipped(entry("/etc/cron.d/evil", b"x")), "leads out"),
    "twice": (gzipped(entry(MODEL, b"x"), entry("./" + MODEL, b"y")), "twice"),
    "bomb": (gzipped(*[entry(f"m{n}", ZEROS) for n in range(5)]), "far more bytes"),
    "bomb-beside": (gzipped(*[entry(f"code/m{n}", ZEROS) for n in range(5)]), "far more bytes"),
    "gzip-in-gzip": (gzipped(entry(MODEL, gzip.compress(gzip.compress(ZEROS)))), "neither"),
    "gzip-twice": (gzip.compress(gzipped(entry(MODEL, ZEROS))), "archive"),
    "zeros": (gzip.compress(ZEROS), "far more bytes"),
    "entries": (gzipped(*[entry(f"d/{n}") for n in range(100_000)]), "entries"),
    "folders": (gzipped(*[entry(f"{n}/", kind=tarfile.DIRTYPE) for n in range(2_000)]), "entries"),
    "deep-path": (gzipped(entry("d/" * 20_000 + MODEL, b"x")), "no model file"),
    "long-name": (gzipped(entry("n" * 100_000, b"x")), "100000 bytes"),
    "long-name-pax": (gzipped(entry("n" * 100_000, b"x", form=tarfile.PAX_FORMAT)), "100000 bytes"),
    "endless-long-name": (gzipped(entry("././@LongLink", ZEROS * 2, kind=tarfile.GNUTYPE_LONGNAME), entry("m", b"x")), "archive"),
    "pax-size": (gzipped(entry(MODEL, b"x", form=tarfile.PAX_FORMAT, pax_headers={"size": str(1 << 60)})), ""),
    "pax-path": (gzipped(entry(MODEL, b"x", form=tarfile.PAX_FORMAT, pax_headers={"path": "../../evil"})), "leads out"),
    "sparse": (gzipped(sparse(MODEL)), "sparse"),
    "wrong-checksum": (gzipped(with_sum_broken(entry(MODEL, b"x"))), "damaged archive"),
    "claims-a-tebibyte": (gzipped(size_field(MODEL, 1 << 40)), ""),
    "empty": (gzipped(), "no model file"),
    "no-bytes": (b"", ""),
    "half-a-gzip": (HOUSES[0].archive.read_bytes()[:5000], "xgboost-model"),
    "wrong-crc": (HOUSES[0].archive.read_bytes()[:-8] + bytes(8), "damaged archive"),
}  # fmt: skip


@pytest.fixture
def ask(server, tmp_path):
    """Puts an archive under the server's prefix and asks it for a prediction: status and text."""
    models, cache = tmp_path / "models", tmp_path / "cache"
    models.mkdir()
    process = server("--models", models, "--cache-dir", cache)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (ADDRESS_SPACE_MAX, ADDRESS_SPACE_MAX))
    client = Client(process.url)

    def ask(name, content, row="1,2,3,4,5,6"):
        (models / name).write_bytes(content)
        start = time.monotonic()
        answer = client.csv("/endpoints/houses/invocations", row, X_Amzn_SageMaker_Target_Model=name)
        assert time.monotonic() - start < SECONDS_MAX, name
        return answer.status, answer.body.decode()

    ask.left_behind = lambda: [path for path in cache.rglob("*") if path.is_file() and path.name != "lock"]
    return ask


def check_alive(ask):
    house = HOUSES[0]
    status, text = ask("good.tar.gz", house.archive.read_bytes(), house.rows[0])
    assert status == 200, text


def test_hostile_archives_are_refused_and_leave_nothing(ask):
    for name, (content, reason) in HOSTILE.items():
        status, text = ask(f"{name}.tar.gz", content)
        assert 400 <= status < 600 and reason in text, f"{name}: {status} {text}"
        assert ask.left_behind() == [], name
    check_alive(ask)


def test_an_archive_cut_at_any_block_is_refused(ask):
    tar = gzip.decompress(HOUSES[0].archive.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        content_end = max(member.offset_data + member.size for member in archive)
    cuts = range(0, content_end, 512)
    for cut in cuts:
        for name, content in ((f"{cut}.tar", tar[:cut]), (f"{cut}.tar.gz", gzip.compress(tar[:cut], compresslevel=1))):
            status, text = ask(name, content)
            assert 400 <= status < 600, f"{name}: {status} {text}"
    assert len(cuts) > 20 and ask.left_behind() == []
    check_alive(ask)

"""Rows written in every form that a client may send, and the media types that they travel under."""

import json
import struct

import numpy as np

MAGIC = 0xCED7230A


def csv(rows):
    return "\n".join(",".join("" if np.isnan(cell) else repr(cell) for cell in row) for row in rows.tolist())


def libsvm(rows):
    pairs = lambda row: " ".join(f"{column}:{cell!r}" for column, cell in enumerate(row) if not np.isnan(cell))
    return "\n".join(f"1 {pairs(row)}" for row in rows.tolist())


def json_cell(cell):
    return None if np.isnan(cell) else cell


def json_rows(rows):
    return [[json_cell(cell) for cell in row] for row in rows.tolist()]


def json_lines(rows):
    return "\n".join(map(json.dumps, json_rows(rows)))


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def frame(tensor, kind):
    record = field(1, field(1, b"values") + field(2, field(kind, tensor)))
    label = field(2, field(1, b"values") + field(2, field(2, field(1, struct.pack("<f", 7)))))
    record += label
    return struct.pack("<II", MAGIC, len(record)) + record + bytes(-len(record) % 4)


def recordio(rows):
    """Dense rows of float32."""
    return b"".join(frame(field(1, row.astype("<f4").tobytes()), 2) for row in rows)


def recordio_doubles(rows):
    return b"".join(frame(field(1, row.astype("<f8").tobytes()), 3) for row in rows)


def recordio_sparse(rows):
    """Rows that name the columns they have."""

    def tensor(row):
        keys = np.flatnonzero(~np.isnan(row))
        values = row[keys].astype("<f4").tobytes()
        return field(1, values) + field(2, b"".join(map(varint, keys.tolist()))) + field(3, varint(len(row)))

    return b"".join(frame(tensor(row), 2) for row in rows)


FORMS = {
    "csv": ("text/csv", csv),
    "csv with semicolons": ("csv", lambda rows: csv(rows).replace(",", ";")),
    "libsvm": ("text/libsvm", libsvm),
    "libsvm without a type": (None, libsvm),
    "recordio": ("application/x-recordio-protobuf", recordio),
    "recordio of doubles": ("recordio-protobuf", recordio_doubles),
    "recordio, sparse": ("application/x-recordio-protobuf", recordio_sparse),
    "json, instances": ("application/json", lambda rows: json.dumps({"instances": json_rows(rows)})),
    "json, features": (
        "application/json",
        lambda rows: json.dumps({"instances": [{"features": row} for row in json_rows(rows)]}),
    ),
    "json, plain": ("application/json; charset=utf-8", lambda rows: json.dumps(rows.tolist())),
    "json lines": ("application/jsonlines", json_lines),
    "json lines, features": (
        "application/jsonlines",
        lambda rows: "".join(json.dumps({"features": row}) + "\n" for row in json_rows(rows)),
    ),
}

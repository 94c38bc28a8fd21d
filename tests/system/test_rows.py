"""Rows in every form, through the built server and a graph that answers with the rows it was given."""

import json
import random
import unicodedata

import numpy as np
import onnx
import pytest
import xgboost
from onnx import TensorProto, helper

import container_rows
from http_client import Client
from row_forms import FORMS

NAMES = ["sqft", "beds", "lot size"]


@pytest.fixture(scope="module")
def echo_model(tmp_path_factory):
    """A folder with a model that takes rows of any width and gives them back."""
    floats = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", None])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "echo", [floats("x")], [floats("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    folder = tmp_path_factory.mktemp("echo")
    onnx.save(model, folder / "model.onnx")
    return folder


class Echo:
    """Sends rows to that model."""

    def __init__(self, url, folder):
        self.client = Client(url)
        assert self.client("POST", "/models", {"model_name": "echo", "url": str(folder)}).status == 200

    def answer(self, body, content_type):
        headers = {} if content_type is None else {"Content_Type": content_type}
        return self.client("POST", "/models/echo/invoke", body, **headers)

    def rows(self, body, content_type):
        """The matrix that was read, or None when it was refused."""
        answer = self.answer(body, content_type)
        if answer.status != 200:
            assert answer.status in (400, 415), answer
            return None
        rows = np.array(answer.json, dtype=np.float32)
        return rows.reshape(len(rows), -1)


@pytest.fixture
def echo(server, tmp_path, echo_model):
    return Echo(server("--cache-dir", tmp_path / "cache", environment={"SAGEMAKER_MULTI_MODEL": "true"}).url, echo_model)


def same(left, right):
    """Whether two outcomes are the same bits or both refusals."""
    if left is None or right is None:
        return left is right
    bits = lambda rows: np.where(np.isnan(rows), np.float32(np.nan), rows).view(np.uint32)
    return left.shape == right.shape and (bits(left) == bits(right)).all()


def outcome(reader, *arguments):
    try:
        return reader(*arguments)
    except (ValueError, OverflowError):
        return None


def expected_csv(body):
    """What the container reads; where it refuses because of an odd delimiter, a column of numbers is one."""
    rows = outcome(container_rows.csv_rows, body)
    between = outcome(lambda: container_rows.delimiter(body.strip().decode("utf-8")))
    if between in ('"', "'") or not body.strip():
        return None
    if rows is None and (between is None or not (between.isalnum() or between in container_rows.USUAL_DELIMITERS)):
        return outcome(container_rows.csv_rows, body, ",")
    return rows


def csv_body(draw):
    """A body that is often well formed, and odd in one way or another."""
    number = lambda: draw.choice(
        [
            lambda: repr(draw.uniform(-1e3, 1e3)),
            lambda: str(draw.randint(-99, 99)),
            lambda: f"{draw.uniform(-1, 1):.{draw.randint(0, 25)}e}",
            lambda: repr(draw.uniform(1, 2) * 10 ** draw.randint(-47, 39)),
            lambda: "".join(draw.choice("0123456789") for _ in range(draw.randint(1, 40))),
        ]
    )()
    odd = lambda: draw.choice(
        ["", "", "nan", "-NaN", "inf", "1e39", "1_0", "_1", ".5", "5.", "+1", "1e", "x", "１２", " 1", "1\t", "\xa01", "1\x0b",
         "3.4028235e38", "1e-46", "0x1", "True", '"1"', "'", "1\0", "\0", "--1", "1-2", "\ufeff1", "infinity", "1 2", "\x1c1"]
    )  # fmt: skip
    between = draw.choice([",", ",", ",", "\t", ";", " ", ":", "|", ", ", "-", ".", "\r"])
    columns, oddness = draw.choice([1, 1, 2, 3, 4]), draw.choice([0, 0, 0.1, 0.4])
    width = lambda: columns + (draw.choice([-1, 1]) if draw.random() < oddness / 20 else 0)
    cell = lambda: odd() if draw.random() < oddness else number()
    lines = [between.join(cell() for _ in range(width())) for _ in range(draw.choice([1, 1, 2, 5]))]
    if draw.random() < oddness / 4:
        lines.insert(draw.randrange(len(lines) + 1), draw.choice(["", " ", "\r"]))
    body = draw.choice(["\n", "\n", "\r\n"]).join(lines) + draw.choice(["", "\n", "\r\n", " \x0b", "\t", "\x85"])
    return body.encode() if draw.random() > oddness / 20 else body.encode() + b"\xff"


def check_random_bodies(echo, content_type, make, expected, count, read_well_min):
    """Compares the server with the twin on random bodies, and sees to it that enough of them are rows."""
    draw, read_well = random.Random(count), 0
    for number in range(count):
        body = make(draw)
        if not body:
            continue
        rows = expected(body)
        read_well += rows is not None
        assert same(echo.rows(body, content_type), rows), f"body {number}: {body!r}, expected {rows}"
    assert read_well_min < read_well < count - read_well_min, read_well


def test_csv_is_read_as_by_the_container(echo):
    check_random_bodies(echo, "text/csv", csv_body, expected_csv, 1500, 400)


def libsvm_body(draw):
    """As csv_body."""
    odd = lambda: draw.choice(
        ["7", "#", "", "qid:3", "-1:1", "1.0:2", "0:1:2", ":1", "1:", "a:1", "１:２", "1_0:1", "+1:1", "0:nan", "0:inf", "0:1e39",
         "2:1\t", "\t2:1", "0:0.1\t1:0.2", "0:1\0", "9223372036854775808:1", "2:1e308 2:1e308", "1:\xa01", "-0:2"]
    )  # fmt: skip
    oddness = draw.choice([0, 0, 0.1, 0.3])
    pair = lambda: odd() if draw.random() < oddness else f"{draw.randrange(6)}:{draw.choice([draw.uniform(-9, 9), 0, 0.1])!r}"
    line = lambda: " ".join(pair() for _ in range(draw.choice([0, 1, 2, 2, 4])))
    body = draw.choice(["\n", "\n", "\r\n"]).join(line() for _ in range(draw.choice([1, 2, 4]))) + draw.choice(["", "\n", " 1"])
    return body.encode() if draw.random() > oddness / 10 else body.encode() + b" \xff"


def test_libsvm_is_read_as_by_the_container(echo):
    expected = lambda body: outcome(container_rows.libsvm_rows, body)
    check_random_bodies(echo, "text/libsvm", libsvm_body, expected, 1000, 200)


def test_libsvm_may_count_from_1(server, tmp_path, echo_model):
    environment = {"SAGEMAKER_MULTI_MODEL": "true", "THICKET_LIBSVM_INDEX": "auto"}
    echo = Echo(server("--cache-dir", tmp_path / "cache", environment=environment).url, echo_model)
    for body in (b"1:1 2:2\n2:3", b"1:1 2:2\n0:3", b"3:1"):
        assert same(echo.rows(body, None), container_rows.libsvm_rows(body, True)), body


def json_body(draw):
    """As csv_body."""
    odd = lambda: draw.choice(["true", '"1"', "01", "+1", ".5", "1.", "1e", "nan", "Infinity", "1e39", "[]", "{}", "", "1 2", "-"])
    oddness = draw.choice([0, 0, 0.02, 0.1])
    plain = lambda: draw.choice([repr(draw.uniform(-9, 9)), f"{draw.randint(-9, 9)}E-2", "null", "NaN", "0", "-0", "9" * 30])
    columns = draw.choice([1, 2, 3])
    space = lambda: draw.choice(["", "", " ", "\n\t"])
    cells = lambda count: f"{space()},{space()}".join(odd() if draw.random() < oddness else plain() for _ in range(count))
    row = lambda: f"[{space()}{cells(columns + (draw.random() < oddness))}{space()}]"
    wrapped = lambda: row() if draw.random() < 0.7 else f'{{"features"{space()}:{space()}{row()}}}'
    rows = f"[{','.join(wrapped() for _ in range(draw.choice([0, 1, 2, 4])))}]"
    body = draw.choice([rows, row(), f'{{{space()}"instances":{rows}{space()}}}', f'{{"inst\\u0061nces" : {rows} }}'])
    if draw.random() < oddness:
        at = draw.randrange(len(body))
        body = body[:at] + draw.choice(["", "]", ",", "{", "x", '"']) + body[at + 1 :]
    return body.encode()


def expected_json(body):
    """The rows of a text as Python's own parser reads it."""

    def array(row):
        row = row["features"] if isinstance(row, dict) and list(row) == ["features"] else row
        if not isinstance(row, list) or not row or not all(cell is None or isinstance(cell, float) for cell in row):
            raise ValueError("no row")
        return [np.nan if cell is None else float(cell) for cell in row]

    value = json.loads(body, parse_int=float)
    rows = value["instances"] if isinstance(value, dict) and list(value) == ["instances"] else value
    if rows is value and not (isinstance(rows, list) and rows and isinstance(rows[0], (list, dict))):
        rows = [rows]
    if not isinstance(rows, list) or not rows:
        raise ValueError("no rows")
    return container_rows.narrowed(np.array([array(row) for row in rows]))


def test_json_is_read_as_by_python(echo):
    check_random_bodies(echo, "application/json", json_body, lambda body: outcome(expected_json, body), 1000, 150)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_rows_is_answered_alike(named, named_client, form):
    random = np.random.default_rng(9)
    rows = random.normal(size=(50, 3)).astype("f4")
    rows[random.random(rows.shape) < 0.2] = np.nan
    rows[-1] = [0, -0.0, 1e-40]
    content_type, write = FORMS[form]
    headers = {} if content_type is None else {"Content_Type": content_type}
    answer = named_client("POST", "/models/named/invoke", write(rows), **headers)
    expected = named[0].predict(xgboost.DMatrix(rows, feature_names=NAMES))
    assert answer.status == 200, answer
    assert answer.json == expected.tolist()


def test_json_may_name_the_features(named, named_client):
    rows = np.array([[1, np.nan, 0.5], [np.nan, -2, np.nan]], "f4")
    body = {"instances": [{"lot size": 0.5, "sqft": 1}, {"beds": -2, "sqft": None}]}
    expected = named[0].predict(xgboost.DMatrix(rows, feature_names=NAMES)).tolist()
    assert named_client("POST", "/models/named/invoke", body).json == expected
    lines = "\n".join(map(json.dumps, body["instances"]))
    assert named_client("POST", "/models/named/invoke", lines, Content_Type="application/jsonlines").json == expected


def test_what_cannot_be_read_says_whose_fault_it_is_and_where(named_client):
    """Statuses and texts as AWS's container means them."""
    recordio = "application/x-recordio-protobuf"
    for content_type, body, status, parts in (
        ("text/libsvm", "0:1 3:1", 400, ("Unable to evaluate payload provided: ", "index 3", "3 features")),
        ("text/libsvm", "0:1 4000000000:1", 400, ("index 4000000000", "3 features")),
        ("text/libsvm", "0:1\n0:x", 415, ("Loading libsvm data failed", "in libsvm format:\n row 2, word 1", "'x'")),
        (recordio, "0,1,2,3,4", 415, ("Loading recordio-protobuf data failed", "Invalid RecordIO magic at offset 0")),
        ("application/json", '[[1, 2, 3], [1, 2, "x"]]', 415, ("Loading json data failed", "row 2, column 3")),
        ("application/json", "[[1, 2, Infinity]]", 415, ("row 1, column 3", "infinite")),
        ("application/jsonlines", "[1, 2, 3]\n[1, 2", 415, ("Loading jsonlines data failed", "byte 16")),
        ("application/json", "[[1, 2]]", 400, ("2", "3")),
        ("application/x-parquet", "PAR1", 415, ("Content-type application/x-parquet is not supported.",)),
        ("text/plain", "1", 415, ("text/plain is not an accepted ContentType: csv, libsvm, parquet, recordio-protobuf,",)),
    ):
        answer = named_client("POST", "/models/named/invoke", body, Content_Type=content_type)
        assert answer.status == status, (content_type, body, answer)
        assert all(part in answer.json["message"] for part in parts), answer
    for content_type in ("text/csv", "text/libsvm", recordio, "application/json", "application/jsonlines"):
        assert named_client("POST", "/models/named/invoke", b"", Content_Type=content_type).status == 204


def test_digits_and_spaces_of_every_script_are_pythons(echo):
    digits = [c for c in map(chr, range(128, 0x110000)) if unicodedata.decimal(c, None) is not None]
    spaces = [c for c in map(chr, range(128, 0x3001)) if c.isspace()]
    cells = [f"-{digit}.5" for digit in digits] + [f"{space}7{space}" for space in spaces]
    assert len(digits) > 600 and len(spaces) > 10
    assert same(echo.rows(f"0,{','.join(cells)}".encode(), "text/csv")[:, 1:], np.array([[float(c) for c in cells]], "f4"))
    for other in ("½", "²", "Ⅷ", "五", "\u200b"):
        assert echo.rows(f"0,{other}".encode(), "text/csv") is None


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A booster that knows its features by name, and the folder it lies in."""
    random = np.random.default_rng(7)
    rows = random.normal(size=(200, len(NAMES))).astype("f4")
    labels = rows @ np.array([1, -2, 3], "f4") + rows[:, 0] * rows[:, 1]
    booster = xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(rows, labels, feature_names=NAMES), 20)
    folder = tmp_path_factory.mktemp("named")
    booster.save_model(folder / "model.ubj")
    return booster, folder


@pytest.fixture
def named_client(server, tmp_path, named):
    client = Client(server("--cache-dir", tmp_path / "cache", environment={"SAGEMAKER_MULTI_MODEL": "true"}).url)
    assert client("POST", "/models", {"model_name": "named", "url": str(named[1])}).status == 200
    return client


def test_a_header_may_name_the_features_in_any_order(named, named_client):
    rows = np.random.default_rng(8).normal(size=(10, 3)).astype("f4")
    expected = named[0].predict(xgboost.DMatrix(rows, feature_names=NAMES)).tolist()
    lines = lambda rows: "\n".join(",".join(map(repr, row.tolist())) for row in rows)
    invoke = lambda body: named_client.csv("/models/named/invoke", body)
    assert invoke(lines(rows)).json == expected
    assert invoke(f"sqft,beds,lot size\n{lines(rows)}").json == expected
    assert invoke(f"lot size,sqft,beds\n{lines(rows[:, [2, 0, 1]])}\n").json == expected
    for header, part in (
        ("sqft,beds,pool", "column 3: 'pool' is no feature"),
        ("sqft,beds,beds", "column 3: 'beds' is named a second time"),
        ("sqft,beds", "lacks the feature 'lot size'"),
    ):
        answer = invoke(f"{header}\n1,2,3")
        assert answer.status == 415 and part in answer.json["message"], answer


def test_a_header_is_refused_where_the_model_has_no_names(echo):
    answer = echo.answer("sqft,beds\n1,2", "text/csv")
    assert answer.status == 415 and "does not know the names of its features" in answer.json["message"], answer

"""Rows as AWS's XGBoost container reads them, with the libraries that it uses: the plainly right twin of our readers.

Each reader returns a matrix of float32 with NaN for what is missing, and raises ValueError for what the container refuses.
"""

import csv

import numpy as np
import xgboost
from scipy.sparse import csr_matrix

USUAL_DELIMITERS = ",\t;: "


def narrowed(rows):
    """What XGBoost's matrix makes of doubles: it refuses what becomes infinite."""
    try:
        return _dense(xgboost.DMatrix(rows, nthread=1).get_data(), rows.shape)
    except xgboost.core.XGBoostError as error:
        raise ValueError(str(error)) from error


def _dense(sparse, shape):
    dense = np.full(shape, np.nan, dtype=np.float32)
    for row in range(shape[0]):
        cells = slice(sparse.indptr[row], sparse.indptr[row + 1])
        dense[row, sparse.indices[cells]] = sparse.data[cells]
    return dense


def delimiter(text):
    """What Python's Sniffer makes of the first line."""
    try:
        return csv.Sniffer().sniff(text.split("\n")[0][:512]).delimiter
    except csv.Error as error:
        raise ValueError(str(error)) from error


def csv_rows(body, between=None):
    """Delimited rows; `between` stands for what the first line would tell."""
    text = body.strip().decode("utf-8")
    between = between or delimiter(text)
    between = "," if between.isalnum() else between
    cells = [["nan" if cell == "" else cell for cell in line.split(between)] for line in text.split("\n")]
    return narrowed(np.array(cells).astype(float))


def libsvm_rows(body, is_shifted=False):
    """Rows of index:value; `is_shifted` counts from 1 where no index is 0."""
    lines = body.strip().decode("utf-8").split("\n")
    pairs = [(row, word.split(":")) for row, line in enumerate(lines) for word in line.split(" ") if ":" in word]
    if not pairs:
        raise ValueError("no feature")
    columns = np.array([parts[0] for _, parts in pairs]).astype(int)
    values = np.array([parts[1] for _, parts in pairs]).astype(float)
    if is_shifted and columns.min() >= 1:
        columns -= 1
    if columns.max() >= 1 << 20:
        raise ValueError("wider than any model here")
    return narrowed(csr_matrix((values, ([row for row, _ in pairs], columns))))

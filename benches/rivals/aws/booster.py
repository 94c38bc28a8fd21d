"""What AWS's XGBoost container does to a CSV request in multi-model mode, step by step as its behaviour shows."""

import csv
import json
import os
import pickle

import numpy as np
import xgboost


class Inference:
    """The four functions that SageMaker's toolkit calls, in this order."""

    def default_model_fn(self, model_dir):
        name = next(name for name in os.listdir(model_dir) if not name.startswith("."))
        booster = load(os.path.join(model_dir, name))
        booster.set_param("nthread", 1)
        return booster

    def default_input_fn(self, body, content_type):
        if content_type != "text/csv":
            raise ValueError(f"content type {content_type} is not text/csv")
        text = body if isinstance(body, str) else body.decode("utf-8")
        return xgboost.DMatrix(table(text.strip()), missing=np.nan)

    def default_predict_fn(self, rows, booster):
        return booster.predict(rows, validate_features=False)

    def default_output_fn(self, prediction, accept):
        if accept != "application/json":
            raise ValueError(f"accept {accept} is not application/json")
        return json.dumps(prediction.tolist())


def load(path):
    """Reads a model file: a pickle if it is one, else what XGBoost itself saved."""
    try:
        with open(path, "rb") as file:
            return pickle.load(file)
    except Exception:
        booster = xgboost.Booster()
        booster.load_model(path)
        return booster


def table(text):
    """Reads CSV text to float64; the delimiter is sniffed from the first line, an empty cell is missing."""
    lines = text.split("\n")
    delimiter = csv.Sniffer().sniff(lines[0][:512]).delimiter
    rows = [[cell if cell else "nan" for cell in line.split(delimiter)] for line in lines]
    return np.array(rows).astype(float)

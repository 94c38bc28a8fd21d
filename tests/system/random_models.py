"""Boosters of random parameters on random data, each told by two numbers: the seed of the run and its own number."""

import json
from dataclasses import dataclass

import numpy as np
import xgboost

ROWS = 96

# Objective, and what its labels are made by.
OBJECTIVES = {
    "reg:squarederror": "real",
    "reg:squaredlogerror": "positive",
    "reg:pseudohubererror": "real",
    "reg:absoluteerror": "real",
    "reg:quantileerror": "real",
    "reg:logistic": "share",
    "reg:gamma": "positive",
    "reg:tweedie": "positive",
    "count:poisson": "count",
    "binary:logistic": "binary",
    "binary:logitraw": "binary",
    "binary:hinge": "binary",
    "multi:softmax": "class",
    "multi:softprob": "class",
    "rank:pairwise": "grade",
    "rank:ndcg": "grade",
    "rank:map": "binary",
    "survival:cox": "positive",
    "survival:aft": "positive",
}
SEVERAL_TARGETS = ("reg:squarederror", "reg:pseudohubererror", "reg:logistic", "binary:logistic", "multi:softprob")
BASE_SCORES = {"real": (-2.5, 0.0, 1e3), "share": (0.1, 0.9), "binary": (0.3, 0.5), "class": (0.5, 0.0)}


@dataclass
class RandomModel:
    """A trained booster, rows to score, and what the booster was drawn with."""

    booster: xgboost.Booster
    rows: np.ndarray
    feature_types: list
    description: str

    def predict(self, output):
        """What XGBoost itself answers, a row each."""
        matrix = xgboost.DMatrix(self.rows, feature_types=self.feature_types, enable_categorical=True)
        self.booster.set_param({"nthread": 1})
        answers = self.booster.predict(matrix, output_margin=output == "margin", validate_features=False)
        return np.asarray(answers, dtype=np.float32).reshape(len(self.rows), -1)


def random_model(seed, number):
    """The model of that number; None where XGBoost does not train with what was drawn."""
    random = np.random.default_rng([seed, number])
    parameters, rounds, several = draw_parameters(random)
    kind = OBJECTIVES[parameters["objective"]]
    features = int(random.choice([1, 2, 5, 12, 40, 300], p=[0.1, 0.1, 0.3, 0.3, 0.15, 0.05]))
    count = int(random.choice([1, 2, 12, 150, 500], p=[0.05, 0.05, 0.1, 0.5, 0.3]))
    linear = parameters["booster"] == "gblinear"
    types = draw_types(random, features, linear or parameters.get("tree_method") == "exact")
    data = draw_data(random, count, types, 0 if linear else random.choice([0, 0.1, 0.6]))
    label = draw_label(random, data, kind, parameters, several)
    description = f"{parameters}, {rounds} rounds, {count} x {features}, label {kind} {label.shape}"
    try:
        booster = xgboost.train(parameters, training_matrix(data, label, types, parameters), num_boost_round=rounds)
    except (xgboost.core.XGBoostError, ValueError):
        return None
    return RandomModel(booster, rows_to_score(random, booster, data, types), types, description)


def draw_parameters(random):
    """Parameters, rounds, and whether there are several targets."""
    objective = str(random.choice(list(OBJECTIVES)))
    kind = OBJECTIVES[objective]
    tree_method = str(random.choice(["hist", "approx", "exact"], p=[0.6, 0.2, 0.2]))
    parameters = {
        "objective": objective,
        "booster": str(random.choice(["gbtree", "dart", "gblinear"], p=[0.75, 0.17, 0.08])),
        "seed": int(random.integers(1 << 30)),
        "nthread": 1,
        "verbosity": 0,
        "eta": float(random.choice([0.03, 0.3, 1.0])),
        "lambda": float(random.choice([0, 1, 100])),
    }
    several = bool(objective in SEVERAL_TARGETS and random.random() < 0.4)
    if parameters["booster"] != "gblinear":
        parameters |= draw_tree_parameters(random, tree_method)
    if several and tree_method == "hist" and parameters["booster"] == "gbtree" and random.random() < 0.6:
        parameters["multi_strategy"] = "multi_output_tree"
    if parameters["booster"] == "dart":
        parameters |= {"rate_drop": 0.4, "normalize_type": str(random.choice(["tree", "forest"]))}
    if kind in BASE_SCORES and random.random() < 0.4:
        parameters["base_score"] = float(random.choice(BASE_SCORES[kind]))
    if objective == "reg:quantileerror":
        parameters["quantile_alpha"] = [0.2, 0.5, 0.9] if random.random() < 0.5 else 0.7
    if kind == "class":
        parameters["num_class"] = int(random.integers(2, 6))
    return parameters, int(random.integers(1, 14)), several


def draw_tree_parameters(random, tree_method):
    parameters = {
        "tree_method": tree_method,
        "max_depth": int(random.integers(1, 9)),
        "num_parallel_tree": int(random.choice([1, 1, 1, 3])),
        "subsample": float(random.choice([0.5, 1.0])),
        "colsample_bynode": float(random.choice([0.5, 1.0])),
        "gamma": float(random.choice([0, 0, 0.5, 1e9])),
        "min_child_weight": float(random.choice([0, 1])),
    }
    if tree_method != "exact":
        parameters |= {"max_bin": int(random.choice([2, 16, 256])), "max_cat_to_onehot": int(random.choice([1, 4, 64]))}
    if tree_method == "hist" and random.random() < 0.4:
        leaves = int(random.integers(2, 40))
        parameters |= {"grow_policy": "lossguide", "max_leaves": leaves, "max_depth": 0}
    return parameters


def draw_types(random, features, numbers_only):
    """XGBoost's short words for the types of the columns."""
    share = 0 if numbers_only else random.choice([0, 0.4])
    return ["c" if random.random() < share else str(random.choice(["float", "int"])) for _ in range(features)]


def draw_data(random, count, types, missing):
    """Columns on coarse and fine grids, constant ones and huge ones, so that thresholds meet values."""
    data = np.empty((count, len(types)), dtype=np.float32)
    for column, kind in enumerate(types):
        numbers = random.standard_normal(count)
        if kind == "c":
            data[:, column] = random.integers(0, random.choice([2, 7, 70]), count)
        elif kind == "int":
            data[:, column] = np.round(numbers * 4)
        else:
            scale = random.choice([1e-30, 1, 1, 1, 1e10])
            data[:, column] = random.choice([numbers, np.round(numbers, 1), np.zeros(count)]) * scale
    data[random.random(data.shape) < missing] = np.nan
    return data


def draw_label(random, data, kind, parameters, several):
    known = np.nan_to_num(data)
    columns = 1 if not several or kind == "class" else 3
    scales = np.maximum(np.abs(known).max(axis=0), 1e-30)
    signal = (known / scales) @ random.standard_normal((data.shape[1], columns))
    signal = signal + 0.3 * random.standard_normal(signal.shape)
    label = {
        "real": lambda: signal * 3,
        "positive": lambda: np.exp(np.clip(signal, -5, 5)),
        "share": lambda: 1 / (1 + np.exp(-signal)),
        "count": lambda: random.poisson(np.exp(np.clip(signal, -3, 3))),
        "binary": lambda: signal > 0,
        "class": lambda: np.clip(np.floor(signal * 2 + 2), 0, parameters.get("num_class", 2) - 1),
        "grade": lambda: np.clip(np.floor(signal + 1), 0, 3),
    }[kind]()
    label = np.asarray(label, dtype=np.float32)
    return label[:, 0] if columns == 1 else label


def training_matrix(data, label, types, parameters):
    matrix = xgboost.DMatrix(data, feature_types=types, enable_categorical=True)
    if parameters["objective"] == "survival:aft":
        matrix.set_float_info("label_lower_bound", label)
        matrix.set_float_info("label_upper_bound", np.where(label > 1, np.inf, label))
        return matrix
    matrix.set_label(label)
    if parameters["objective"].startswith("rank:"):
        matrix.set_group([len(data)])
    return matrix


def rows_to_score(random, booster, data, types):
    """Rows of the data, and rows of what predictions go wrong at: thresholds, the numbers beside them, and extremes."""
    rows = data[random.integers(0, len(data), ROWS)].copy()
    thresholds = thresholds_of(booster, len(types))
    for column, kind in enumerate(types):
        extremes = [0, 1, 3, 69, 70, 1000, np.nan] if kind == "c" else awkward(thresholds[column])
        chosen = random.random(ROWS) < 0.7
        rows[chosen, column] = random.choice(np.array(extremes, dtype=np.float32), chosen.sum())
    rows[0] = np.nan
    return rows


def thresholds_of(booster, features):
    """The thresholds of each feature's splits."""
    thresholds = [[] for _ in range(features)]
    gradient_booster = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    model = gradient_booster.get("gbtree", gradient_booster)["model"]
    for tree in model.get("trees", []):
        for node, left in enumerate(tree["left_children"]):
            if left != -1 and not tree["split_type"][node]:
                thresholds[tree["split_indices"][node]].append(tree["split_conditions"][node])
    return thresholds


def awkward(thresholds):
    thresholds = np.array(thresholds, dtype=np.float32)
    beside = [np.nextafter(thresholds, np.float32(end)) for end in (-np.inf, np.inf)]
    fixed = np.array([0.0, -0.0, 1e10, -1e10, 1e-40, -1e-40, 3e38, np.nan], dtype=np.float32)
    return np.concatenate([thresholds, thresholds, *beside, fixed])

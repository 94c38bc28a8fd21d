#!/usr/bin/env python3
"""Saves a city model as UBJSON, which newer XGBoost reads. usage: save_ubjson.py ARCHIVE FOLDER

FOLDER receives model.ubj and, beside it, the settings that MLServer wants.
"""

import json
import sys
import tarfile
from pathlib import Path

import xgboost

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "aws"))

from resave import Lifter  # noqa: E402


def main():
    archive, folder = Path(sys.argv[1]), Path(sys.argv[2])
    xgboost.set_config(verbosity=0)
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        state = Lifter(tar.extractfile("xgboost-model")).load()
    booster = xgboost.Booster()
    booster.load_model(state.handle)
    booster.save_model(folder / "model.ubj")
    settings = {
        "name": folder.name,
        "implementation": "mlserver_xgboost.XGBoostModel",
        "parameters": {"uri": "./model.ubj"},
    }
    (folder / "model-settings.json").write_text(json.dumps(settings))


if __name__ == "__main__":
    main()

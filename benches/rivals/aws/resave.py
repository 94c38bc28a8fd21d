"""Writes a model that XGBoost 0.90 pickled as the file that the installed XGBoost saves. run.py starts it.

usage: resave.py ARCHIVE FOLDER

Later versions refuse the pickle but read the bytes inside, so these are lifted out of it.
"""

import pickle
import sys
import tarfile
from pathlib import Path

import xgboost


class State:
    """Stands in for the pickled Booster: only its attributes are wanted."""


class Lifter(pickle.Unpickler):
    """Unpickles a Booster without making one."""

    def find_class(self, module, name):
        known = {("xgboost.core", "Booster"): State, ("builtins", "bytearray"): bytearray}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a pickled Booster")
        return known[module, name]


def main():
    archive, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with tarfile.open(archive) as tar:
        state = Lifter(tar.extractfile("xgboost-model")).load()
    # It would warn of the file's age.
    xgboost.set_config(verbosity=0)
    booster = xgboost.Booster()
    booster.load_model(state.handle)
    folder.mkdir(parents=True, exist_ok=True)
    # Training with XGBoost 1.7 saves without an extension.
    booster.save_model(str(folder / "xgboost-model"))


if __name__ == "__main__":
    main()

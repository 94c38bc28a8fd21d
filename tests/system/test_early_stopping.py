"""Pickles of earlier versions of XGBoost that say `best_ntree_limit`: cut as by today's container, which is asked too."""

import pickle
import subprocess
import tarfile

import numpy as np
import pytest
import xgboost

# Older pickles are not read by the installed XGBoost, nor by today's container.
VERSIONS = ("1.0.2", "1.2.1", "1.3.3", "1.7.6")
CASES = ("reg_random_forest", "multi_softprob_forest", "binary_early_stopping", "dart_multi", "gblinear_multi")
LIMITS = (0, 1, 2, 3, 4, 6, 12, 20)


class State:
    """Stands for a booster: keeps what its pickle says."""

    def __setstate__(self, state):
        self.members = state


class Opened(pickle.Unpickler):
    """Reads a booster's state without giving it to XGBoost."""

    def find_class(self, module, name):
        return State if (module, name) == ("xgboost.core", "Booster") else super().find_class(module, name)


def pickled(state):
    """The pickle of a booster with this state."""
    return b"\x80\x03cxgboost.core\nBooster\n)\x81" + pickle.dumps(state, 3)[2:-1] + b"b."


def todays_answer(content, rows):
    """The margins as today's container asks for them, nothing where XGBoost refuses that."""
    booster = pickle.loads(content)
    limit = booster.best_ntree_limit
    try:
        margins = booster.predict(
            xgboost.DMatrix(rows), iteration_range=(0, limit), output_margin=True, validate_features=False
        )
    except xgboost.core.XGBoostError as error:
        assert "Out of range" in str(error)
        return None
    return margins.reshape(len(rows), -1)


def answer(binary, folder, content, best_iteration):
    (folder / "xgboost-model").write_bytes(content)
    command = [binary, "predict", "--output", "margin", "--best-iteration", best_iteration,
               "--input", folder / "input.csv", folder / "xgboost-model"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return np.array([line.split(",") for line in done.stdout.split()], dtype=np.float32)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.filterwarnings("ignore")
def test_a_pickles_limit_cuts_as_in_todays_container(binary, fixtures, tmp_path, version):
    answered = refused = 0
    with tarfile.open(fixtures / "xgboost" / f"{version}.tar.gz") as archive:
        for case in CASES:
            (tmp_path / "input.csv").write_bytes(archive.extractfile(f"{version}/{case}/input.csv").read())
            rows = np.genfromtxt(tmp_path / "input.csv", delimiter=",", dtype=np.float32)
            state = Opened(archive.extractfile(f"{version}/{case}/model.pkl")).load().members
            for limit in LIMITS:
                content = pickled({**state, "best_ntree_limit": limit})
                theirs, ours = todays_answer(content, rows), answer(binary, tmp_path, content, "today")
                if theirs is None:
                    theirs, refused = answer(binary, tmp_path, content, "legacy"), refused + 1
                else:
                    answered += 1
                # XGBoost 3 sums in an order of its own, thicket in the writer's: the last bits differ, other trees more.
                assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-5), f"{case}, limit {limit}"
    assert answered > 20 and refused > 0

"""The four city models as clients see them: target names, rows, and what XGBoost 0.90 answered."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "houses"
PREFIX = FOLDER / "models"


@dataclass(frozen=True)
class House:
    """One city's model."""

    name: str
    rows: list
    prices: list

    @property
    def target(self):
        return f"{self.name}/model.tar.gz"

    @property
    def archive(self):
        return PREFIX / self.name / "model.tar.gz"

    def unpack(self, folder):
        """Unpacks the archive as the platform does before it tells a container to load."""
        folder.mkdir(parents=True)
        with tarfile.open(self.archive) as archive:
            archive.extractall(folder, filter="data")
        return folder


def house(name):
    rows = (FOLDER / f"{name}.csv").read_text().splitlines()
    return House(name, rows, json.loads((FOLDER / f"{name}.expected.json").read_text())["value"])


HOUSES = [house(folder.name) for folder in sorted(PREFIX.iterdir())]

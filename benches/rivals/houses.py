"""The city models under many names, in the form that each server reads, and rows for them."""

import csv
import json
import random
import shutil
import tarfile

from rivals import HERE, ROOT, run

HOUSES = ROOT / "tests" / "fixtures" / "houses"
COPIES = 20
ROWS = 1000
SEED = 7


def archives():
    return sorted((HOUSES / "models").glob("*/model.tar.gz"))


def names():
    return [f"house-{number:02}" for number in range(COPIES)]


def city(name):
    """Returns the city whose model has that name."""
    known = archives()
    return known[int(name[-2:]) % len(known)].parent.name


def expected(name):
    """Returns what XGBoost 0.90 answers to the rows of a model."""
    return json.loads((HOUSES / f"{city(name)}.expected.json").read_text())["value"]


def rows(name):
    with open(HOUSES / f"{city(name)}.csv", newline="") as file:
        return list(csv.reader(file))


def mixed_rows(name):
    """Returns rows put together from cells of several rows, so that rows differ from call to call."""
    columns = list(zip(*rows(name), strict=True))
    draw = random.Random(SEED)
    return [[draw.choice(column) for column in columns] for _ in range(ROWS)]


def spread(folder, form):
    """Copies the model of each city to its names; `form(archive, folder)` writes one city's."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in names():
        form(HOUSES / "models" / city(name) / "model.tar.gz", folder / name)
    return folder


def unpacked(archive, folder):
    """As training saved it: what the platform lays before a container."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")


def saved_again(python, script, scratch):
    """Returns a form that XGBoost in that environment saved; its files are read for every name."""
    shutil.rmtree(scratch, ignore_errors=True)
    for archive in archives():
        run([python, script, archive, scratch / archive.parent.name], 120)

    def form(archive, folder):
        shutil.copytree(scratch / archive.parent.name, folder)
        settings = folder / "model-settings.json"
        if settings.exists():
            settings.write_text(json.dumps(json.loads(settings.read_text()) | {"name": folder.name}))

    return form


RESAVE_UBJSON = HERE / "servers" / "save_ubjson.py"
RESAVE_AWS = HERE / "aws" / "resave.py"

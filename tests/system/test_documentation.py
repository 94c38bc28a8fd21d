"""What the documentation says of options is what the program says of itself."""

import re
import subprocess

from conftest import ROOT

WITHOUT_A_ROW = {"--help"}


def words(pattern, text):
    return set(re.findall(pattern, text, re.MULTILINE))


def test_every_option_and_its_variables_stand_in_the_tables_of_the_configuration(binary):
    help_ = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    rows = dict(re.findall(r"^\| `(--[a-z-]+)` \| (.*)$", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE))
    options = dict(re.findall(r"^ +(?:-h, )?(--[a-z-]+)(.*(?:\n {8,}[^- ].*)*)", help_, re.MULTILINE))
    assert options.keys() - WITHOUT_A_ROW == rows.keys()
    for option, row in rows.items():
        variables = words(r"\b[A-Z]+_[A-Z_]+\b", options[option].partition("[env: ")[2].partition(" unless")[0])
        assert variables and variables == words(r"\b[A-Z]+_[A-Z_]+\b", row), option

"""Damaged models given to thicket and to XGBoost: what both accept has the same margins."""

import re
import subprocess
import sys
from pathlib import Path

FILES = 200


def test_what_xgboost_and_thicket_accept_predicts_the_same(binary, tmp_path):
    # A process of its own: the campaign forks, and a process that forks should have no threads.
    script = Path(__file__).with_name("campaign.py")
    command = [sys.executable, script, binary, "--files", str(FILES), "--keep", tmp_path / "faults"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    rows = re.findall(r"^(?:json|ubj|deprecated) +\d+ +(\d+) +(\d+)", done.stdout, re.MULTILINE)
    assert len(rows) == 3 and all(both == same != "0" for both, same in rows), done.stdout

#!/usr/bin/env python3
"""Serves the four city models on loopback, invokes each twice, and prints what was answered and how fast.

usage: demo.py THICKET
"""

import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOUSES = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "houses"
ENDPOINT = "/endpoints/houses/invocations"


def start(thicket, cache):
    """Starts the server on a free port; returns the process and its address."""
    command = [thicket, "serve", "--host", "127.0.0.1", "--port", "0", "--models", HOUSES / "models", "--cache-dir", cache]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in server.stdout:
        found = re.search(r"listening on http://([\d.]+):(\d+)", line)
        if found:
            return server, found.groups()
    sys.exit(f"{thicket} did not start:\n{server.stderr.read()}")


def invoke(connection, model, row):
    """Asks for one row's prediction; returns it and how many milliseconds it took."""
    headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Target-Model": f"{model}/model.tar.gz"}
    began = time.perf_counter()
    connection.request("POST", ENDPOINT, body=row, headers=headers)
    response = connection.getresponse()
    body = response.read()
    took_ms = (time.perf_counter() - began) * 1000
    if response.status != 200:
        sys.exit(f"{model}: {response.status} {body.decode()}")
    return json.loads(body)[0], took_ms


def main():
    sys.stdout.reconfigure(line_buffering=True)
    thicket = Path(sys.argv[1]).resolve()
    models = sorted(folder.name for folder in (HOUSES / "models").iterdir())
    right = True
    with tempfile.TemporaryDirectory() as cache:
        server, (host, port) = start(thicket, cache)
        try:
            print(f"thicket serves these models on http://{host}:{port}{ENDPOINT}, sizes in bytes:\n")
            subprocess.run([thicket, "list", HOUSES / "models"], check=True)
            print()
            connection = http.client.HTTPConnection(host, int(port), timeout=60)
            print(f"{'model':44}{'prediction':>14}{'XGBoost said':>16}{'cold ms':>10}{'warm ms':>10}")
            for model in models:
                row = (HOUSES / f"{model}.csv").read_text().splitlines()[0]
                expected = json.loads((HOUSES / f"{model}.expected.json").read_text())["value"][0]
                predicted, cold_ms = invoke(connection, model, row)
                again, warm_ms = invoke(connection, model, row)
                right &= predicted == again == expected
                print(f"{model:44}{predicted:>14}{expected:>16}{cold_ms:>10.2f}{warm_ms:>10.2f}")
            connection.request("GET", "/models")
            loaded = json.loads(connection.getresponse().read())["models"]
            print(f"\n{len(loaded)} models are in memory now.")
        finally:
            server.terminate()
            server.wait(timeout=30)
    if not right or len(loaded) != len(models):
        sys.exit("the answers are not XGBoost's")
    print("Every prediction equals XGBoost's to the last bit.")


if __name__ == "__main__":
    main()

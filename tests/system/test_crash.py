"""kill -9 at any moment: after a restart every answer is right and nothing half-written is left."""

import random
import threading
import time

from houses import HOUSES
from http_client import Client

ROUNDS = 12


def invoke(url, house):
    header = {"X_Amzn_SageMaker_Target_Model": house.target}
    return Client(url).csv("/endpoints/houses/invocations", house.rows[0], **header)


def abandoned(url, house):
    """Asks for a model of a server that is about to be killed."""
    try:
        invoke(url, house)
    except OSError:
        pass


def test_a_server_killed_while_it_converts_answers_right_after_a_restart(server, fixtures, tmp_path):
    cache = tmp_path / "cache"
    arguments = ("--models", fixtures / "houses" / "models", "--cache-dir", cache)
    chance = random.Random(20200117)
    for round_number in range(ROUNDS):
        for entry in cache.glob("??/*"):
            entry.unlink()
        process = server(*arguments)
        callers = [threading.Thread(target=abandoned, args=(process.url, house)) for house in HOUSES]
        for caller in callers:
            caller.start()
        # A conversion takes some milliseconds: the kill falls before, into and behind it.
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        for caller in callers:
            caller.join()

        killed = process.pid
        process = server(*arguments)
        # The new server may write already: what was asked for before is brought unasked.
        left = [entry for entry in (cache / "aside").iterdir() if entry.name.startswith(f"{killed}-")]
        assert left == [], f"round {round_number}"
        for house in HOUSES:
            answer = invoke(process.url, house)
            assert (answer.status, answer.json) == (200, [house.prices[0]]), f"round {round_number}: {answer}"
        assert process.stop() == 0

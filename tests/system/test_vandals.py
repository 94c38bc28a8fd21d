"""Files of the cache that somebody cuts short, removes or replaces while they are in use: every answer is right."""

import os
import random
import threading
import time

from houses import HOUSES
from http_client import Client
from scrape import Scrape

SECONDS = 6
CLIENTS = 4


def cut_to_nothing(path, _):
    os.truncate(path, 0)


def cut_in_the_middle(path, chance):
    os.truncate(path, chance.randrange(1, max(2, path.stat().st_size)))


def remove(path, _):
    path.unlink()


def replace_by_noise(path, chance):
    aside = path.with_name("noise")
    aside.write_bytes(chance.randbytes(50_000))
    aside.rename(path)


VANDALS = (cut_to_nothing, cut_in_the_middle, remove, replace_by_noise)


def ask_until(stop, url, seed, wrong, counts):
    """One client: rows of random models, each answer compared."""
    client, chance = Client(url), random.Random(seed)
    while not stop.is_set():
        house = chance.choice(HOUSES)
        row = chance.randrange(len(house.rows))
        header = {"X_Amzn_SageMaker_Target_Model": house.target}
        answer = client.csv("/endpoints/houses/invocations", house.rows[row], **header)
        counts.append(answer.status)
        if answer.status != 200 or answer.json != [house.prices[row]]:
            wrong.append((house.name, row, answer))


def test_what_somebody_does_to_files_of_the_cache_changes_no_answer(server, tmp_path):
    cache, chance = tmp_path / "cache", random.Random(1)
    # Room for three of the four models, so that they come and go.
    room = ("--memory-limit", "350KiB", "--residency-min", "0")
    process = server("--models", HOUSES[0].archive.parents[1], "--cache-dir", cache, *room)
    stop, wrong, counts = threading.Event(), [], []
    arguments = [(stop, process.url, seed, wrong, counts) for seed in range(CLIENTS)]
    clients = [threading.Thread(target=ask_until, args=one) for one in arguments]
    for client in clients:
        client.start()
    end, deeds = time.monotonic() + SECONDS, 0
    while time.monotonic() < end and not wrong:
        for path in chance.sample(packs := sorted(cache.glob("??/*.pack")), min(1, len(packs))):
            try:
                chance.choice(VANDALS)(path, chance)
                deeds += 1
            except FileNotFoundError:
                pass  # It is being made anew.
        time.sleep(0.02)
    stop.set()
    for client in clients:
        client.join()
    assert not wrong, wrong[:3]
    damages = Scrape(process.url)("thicket_evictions_total", reason="damage")
    print(f"{deeds} deeds, {damages} of them noticed while models were in use, {len(counts)} answers")
    assert deeds > 50 and damages > 3 and len(counts) > 500

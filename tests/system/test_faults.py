"""Every file operation of a first request fails once, or is the process's last: no wrong answer then or later, nothing left over."""

import errno
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from houses import HOUSES
from http_client import Client
from process import Process

SOURCE = Path(__file__).parent / "faults" / "inject.c"
HOUSE = HOUSES[0]
# With fewer operations than this the server would not have been watched.
OPERATIONS_MIN = 20
KILLED = 0


@pytest.fixture(scope="module")
def injector(tmp_path_factory):
    """The library that counts file operations, and lets one of them fail."""
    library = tmp_path_factory.mktemp("faults") / "inject.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, SOURCE, "-ldl"], check=True)
    return library


class Trial:
    """A server with a cache of its own, of which one file operation fails."""

    def __init__(self, binary, injector, folder, at, error):
        self._binary = binary
        self.cache = folder / "cache"
        self.log = folder / "operations"
        # The folder of models is not watched above itself: what loads libraries is not of interest.
        self._faults = {
            "LD_PRELOAD": str(injector),
            "FAULT_FOLDERS": f"{self.cache}:{HOUSE.archive.parents[1]}",
            "FAULT_AT": str(at),
            "FAULT_ERRNO": str(error),
            "FAULT_LOG": str(self.log),
        }

    def start(self, environment=None):
        places = ("--models", HOUSE.archive.parents[1], "--cache-dir", self.cache)
        command = [self._binary, "serve", "--host", "127.0.0.1", "--port", "0", *places]
        return Process(command, r"listening on (http://127\.0\.0\.1:\d+)", environment)

    def ask(self, url):
        header = {"X_Amzn_SageMaker_Target_Model": HOUSE.target}
        return Client(url).csv("/endpoints/houses/invocations", HOUSE.rows[0], **header)

    def first(self):
        """The first request's answer while an operation fails; None where the process did not live to give it."""
        try:
            server = self.start(self._faults)
        except RuntimeError as error:
            # It says why, unless it was killed.
            assert self._faults["FAULT_ERRNO"] == str(KILLED) or "rror" in str(error), error
            return None
        try:
            return self.ask(server.url)
        except OSError:
            return None
        finally:
            server.kill()

    def second(self):
        """The answer of the next server, and what it found."""
        server = self.start()
        try:
            leftovers = list((self.cache / "aside").iterdir())
            return self.ask(server.url), leftovers
        finally:
            server.kill()

    def operations(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


def fault(binary, injector, folder, at, error):
    """Lets operation `at` fail; returns what is wrong about what came of it, and whether it came to that."""
    folder.mkdir()
    trial = Trial(binary, injector, folder, at, error)
    answer = trial.first()
    operations = trial.operations()
    place = f"{errno.errorcode.get(error, 'SIGKILL')} at {operations[at - 1] if at <= len(operations) else at}"
    wrong = []
    if answer and answer.status == 200 and answer.json != [HOUSE.prices[0]]:
        wrong.append(f"{place}: the first answer is {answer}")
    if answer and answer.status not in (200, 424, 429, 500, 503):
        wrong.append(f"{place}: the first answer is {answer}")
    again, leftovers = trial.second()
    if (again.status, again.json) != (200, [HOUSE.prices[0]]):
        wrong.append(f"{place}: after a restart the answer is {again}")
    if leftovers:
        wrong.append(f"{place}: after a restart there are {leftovers}")
    return wrong, len(operations) >= at, answer


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EMFILE, KILLED], ids=lambda error: errno.errorcode.get(error, "SIGKILL"))
def test_whichever_file_operation_fails_no_answer_is_wrong_and_nothing_is_left(binary, injector, tmp_path, error):
    whole = Trial(binary, injector, tmp_path, 0, error)
    answer = whole.first()
    assert (answer.status, answer.json) == (200, [HOUSE.prices[0]])
    operations = whole.operations()
    assert len(operations) >= OPERATIONS_MIN, operations
    with ThreadPoolExecutor(2) as threads:
        trial = lambda at: fault(binary, injector, tmp_path / str(at), at, error)
        outcomes = list(threads.map(trial, range(1, len(operations) + 1)))
    wrong = [complaint for complaints, _, _ in outcomes for complaint in complaints]
    assert not wrong, "\n".join(wrong)
    reached = sum(was_reached for _, was_reached, _ in outcomes)
    assert reached >= len(operations) - 2, f"{reached} of {len(operations)} operations came to be"
    served = sum(bool(answer and answer.status == 200) for _, _, answer in outcomes)
    print(f"{len(operations)} operations, {served} of the first requests were answered well")

"""A server process under test: started, awaited until it says where it listens, stopped by its own id."""

import os
import re
import subprocess
import threading
from concurrent.futures import Future

START_S = 30
STOP_S = 30


class Process:
    """A running server: `url` where it answers, `pid` its id, `killed` whether we did that, `log()` what it printed."""

    def __init__(self, command, announcement, environment=None, start_s=START_S):
        """Starts `command` and waits for a line that `announcement` matches; its first group becomes `url`."""
        self._command = [str(word) for word in command]
        self._lines = []
        self.killed = False
        self._announced = Future()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(environment or {})},
        )
        self.pid = self._process.pid
        # The pipe has to be read all the time: a server that cannot print stands still.
        self._reader = threading.Thread(target=self._read, args=(re.compile(announcement),), daemon=True)
        self._reader.start()
        self.url = self._await_url(start_s)

    def _read(self, announcement):
        for line in self._process.stdout:
            self._lines.append(line)
            found = announcement.search(line)
            if found and not self._announced.done():
                self._announced.set_result(found.group(1))
        if not self._announced.done():
            self._announced.set_exception(EOFError("it ended first"))

    def _await_url(self, start_s):
        try:
            return self._announced.result(timeout=start_s)
        except (EOFError, TimeoutError) as error:
            self.kill()
            raise RuntimeError(f"{self._command} did not say where it listens: {error!r}\n{self.log()}") from error

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def log(self):
        return "".join(self._lines)

    def stop(self):
        """Sends SIGTERM unless the process has ended, and returns the exit code."""
        self._process.terminate()
        try:
            return self._ended(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """Sends SIGKILL unless the process has ended, and returns the exit code."""
        self.killed = True
        self._process.kill()
        return self._ended(STOP_S)

    def _ended(self, timeout_s):
        code = self._process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

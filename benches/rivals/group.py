"""A memory cgroup: the kernel's limit around a server, made for a measurement and removed after it."""

import os
import time
from pathlib import Path

VERSION_1 = Path("/sys/fs/cgroup/memory")
VERSION_2 = Path("/sys/fs/cgroup")
REMOVAL_S = 2
# Moves itself into the group and becomes the program.
ENTER = 'echo $$ > "$0" && exec "$@"'


class Group:
    """A group that may take `limit_bytes`, without swap; a context that removes it."""

    def __init__(self, limit_bytes):
        self._is_version_1 = (VERSION_1 / "memory.limit_in_bytes").exists()
        self._folder = (self._own() if self._is_version_1 else VERSION_2) / f"thicket-rival-{os.getpid()}"
        self._folder.mkdir()
        limits = {"memory.max": limit_bytes, "memory.swap.max": 0}
        if self._is_version_1:
            limits = {"memory.limit_in_bytes": limit_bytes, "memory.memsw.limit_in_bytes": limit_bytes}
        for name, number in limits.items():
            if (self._folder / name).exists():
                (self._folder / name).write_text(str(number))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end = time.monotonic() + REMOVAL_S
        while self._folder.exists() and time.monotonic() < end:
            try:
                self._folder.rmdir()
            except OSError:
                # The kernel takes a moment after the last process.
                time.sleep(REMOVAL_S / 100)

    @property
    def entering(self):
        """The words that stand before a command that is to run in the group."""
        return ["sh", "-c", ENTER, str(self._folder / "cgroup.procs")]

    def kills(self):
        """Returns how many of its processes the kernel has killed for want of memory."""
        text = (self._folder / ("memory.oom_control" if self._is_version_1 else "memory.events")).read_text()
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), 0)

    @staticmethod
    def _own():
        """In version 1 groups are made below our own; in version 2 one that has processes has none below it with limits."""
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            below = VERSION_1 / path.lstrip("/")
            if "memory" in controllers.split(",") and below.is_dir():
                return below
        return VERSION_1

"""What a process and its descendants use: processor time and memory, by the system's own account."""

import contextlib
import time
from pathlib import Path


class Tree:
    """A process and all its descendants at the moment of asking."""

    def __init__(self, pid):
        self._root = int(pid)

    def members(self):
        found, waiting = [], [self._root]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            # A thread may end while it is looked at; its children are its process's then.
            with contextlib.suppress(FileNotFoundError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                        waiting.extend(int(child) for child in (task / "children").read_text().split())
        return found

    def processor_ns(self):
        """Returns the processor time that the tree's processes have used since each of them started."""
        return sum(time.clock_gettime_ns(processor_clock(pid)) for pid in self.members())

    def memory_mib(self):
        """Returns the tree's resident memory, what several processes share counted once."""
        return sum(proportional_kib(pid) for pid in self.members()) / 1024


def processor_clock(pid):
    """Returns the id of the clock that counts a process's processor time (Linux, include/linux/posix-timers.h)."""
    scheduler_clock = 2
    return (~pid << 3) | scheduler_clock


def proportional_kib(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError(f"/proc/{pid}/smaps_rollup holds no line Pss")

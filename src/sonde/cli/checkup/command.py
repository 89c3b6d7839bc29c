"""The command under examination: started under the probe, and ended with everything it started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from sonde.cli.checkup.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_EVERY_S = 0.05
_KILLED_WITHIN_S = 5.0
ENDS_WITHIN_S = 10.0
"""The longest that SIGTERM is given to end all processes."""


class Command:
    """Runs while it is entered; afterwards nothing of it is left. Raises OSError where it cannot be started."""

    def __init__(self, words: list[str], environment: Mapping[str, str], output: Path | None) -> None:
        self._words = words
        self._environment = environment
        self._output = output
        self._process: subprocess.Popen[bytes]
        self.processes: Processes
        self.killed = False
        """Whether SIGTERM was not enough."""

    def __enter__(self) -> Self:
        _adopt_orphans()
        processes = Processes()
        out = self._output.open("wb") if self._output is not None else None
        try:
            # A session of its own: Ctrl-C in our terminal is ours, and its processes are known by it.
            self._process = subprocess.Popen(
                self._words,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out if out is not None else 2,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            if out is not None:
                out.close()
        processes.root = self._process.pid
        self.processes = processes
        processes.look()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether none of its processes was left at the last look. One that made itself a daemon goes on."""
        return not self.processes.alive()

    @property
    def code(self) -> int | None:
        """Exit code of the process that was started; None while it runs."""
        return self._process.poll()

    def watch(self, seconds: float) -> None:
        """Look at its processes for some time, or until they have ended."""
        until = time.monotonic() + seconds
        while True:
            self.processes.look()
            if self.ended or time.monotonic() >= until:
                return
            time.sleep(_LOOK_EVERY_S)

    def end(self) -> None:
        """SIGTERM to the one that was started, then to what is left, then SIGKILL."""
        if self.code is None:
            _signal([self.pid], signal.SIGTERM)
        if self._gone_within(ENDS_WITHIN_S, until_orphans=True):
            return
        _signal(self._left(), signal.SIGTERM)
        if self._gone_within(1.0):
            return
        self.killed = True
        deadline = time.monotonic() + _KILLED_WITHIN_S
        while (left := self._left()) and time.monotonic() < deadline:
            _signal(left, signal.SIGKILL)
            self._gone_within(0.1)

    def _left(self) -> list[int]:
        self.processes.look()
        return self.processes.alive()

    def _gone_within(self, seconds: float, *, until_orphans: bool = False) -> bool:
        """Whether all have ended. `until_orphans`: ask no longer than a second once the first process has ended."""
        deadline = time.monotonic() + seconds
        while self._left():
            if until_orphans and self.code is not None:
                deadline, until_orphans = min(deadline, time.monotonic() + 1.0), False
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_EVERY_S)
            self._bury()
        self._process.wait()
        return True

    def _bury(self) -> None:
        """Take leave of orphans that were given to us."""
        self._process.poll()
        for pid in self.processes.all:
            if pid != self.pid:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _adopt_orphans() -> None:
    """A process that makes itself a daemon becomes our child, so that it is found and ended, too."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

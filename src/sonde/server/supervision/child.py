"""One process that is kept alive: started again after it ended, the sooner the longer it had lived."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sonde.server.supervision.parent_death import dies_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
STEADY_S = 10.0
"""A child that was ready and lived this long starts again with the first pause."""


@dataclass(slots=True)
class Child:
    """A command that says `ready` on its standard output when it serves. Times are of a monotonic clock."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_within_s: float
    sockets: Sequence[int] = ()
    ready: bool = False
    was_ever_ready: bool = False
    failures: int = 0
    """Ends in a row before it was ready, or soon after."""
    restart_at_s: float | None = 0.0
    """When to start it; None while it runs."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _started_at_s: float = 0.0

    def start(self, now_s: float) -> int:
        """Start the command; the descriptor of its standard output, which does not block."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pass_fds=self.sockets,
            process_group=0,  # Ctrl-C in a terminal is the supervisor's to hear; it stops us in order
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 - this process has one thread
        )
        self.ready, self.restart_at_s, self._started_at_s = False, None, now_s
        assert self.process.stdout is not None  # noqa: S101 - PIPE above
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process.stdout.fileno()

    def heard(self, said: bytes) -> bool:
        """Take in what the child printed; True when that makes it ready."""
        if self.ready or b"ready" not in said.split():
            return False
        self.ready = self.was_ever_ready = True
        return True

    def output(self) -> int | None:
        """The descriptor of its standard output, while there is a process."""
        return self.process.stdout.fileno() if self.process and self.process.stdout else None

    def has_ended(self) -> bool:
        """Whether there was a process and it is gone; `schedule_restart` is due."""
        return self.process is not None and self.process.poll() is not None

    def schedule_restart(self, now_s: float) -> None:
        """Say why it ended, forget the process, and set the next start."""
        steady = self.ready and now_s - self._started_at_s >= STEADY_S
        self.failures = 0 if steady else self.failures + 1
        pause_s = min(FIRST_PAUSE_S * 2 ** max(0, self.failures - 1), LONGEST_PAUSE_S)
        self.restart_at_s = now_s + pause_s
        log.warning("the %s process %s; starting it again in %.1f s", self.name, self.how_it_ended(), pause_s)
        self._forget()

    def how_it_ended(self) -> str:
        """For the log: exit code or signal."""
        code = self.process.returncode if self.process else None
        if code is None:
            return "runs"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def signal(self, number: signal.Signals) -> None:
        """Pass a signal on, if the process runs."""
        if self.process is not None:
            self.process.send_signal(number)

    def gone(self) -> bool:
        """Whether no process is left; reaps it."""
        if self.has_ended():
            self._forget()
        return self.process is None

    def kill(self) -> None:
        """End it now."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._forget()

    def _forget(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process, self.ready = None, False

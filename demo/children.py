"""The programs of the demo: each in a session of its own, with a log of its own, stopped in reverse order."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType

STOP_WITHIN_S = 30.0
TAIL_LINES = 15
MAX_LOG_BYTES = 16 << 20


class Stopped(Exception):  # noqa: N818 - no fault
    """The user wants the demo to end."""


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True)
class Child:
    """A running program."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ended: int
    """Descriptor that becomes readable at its end."""


class Children:
    """Starts programs, waits for trouble or for the user, stops everything."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._asked, self._ask = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a program. Ctrl-C in the terminal does not reach it: it is stopped when its turn comes."""
        log = self._logs / f"{name}.log"
        log.unlink(missing_ok=True)
        with log.open("ab") as output:  # appending is what makes `trim_logs` possible
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._children.append(Child(name, process, log, os.pidfd_open(process.pid)))

    def wait(self, timeout_s: float | None = None) -> None:
        """Until the time is over. Raises Stopped when the user asks for it, DemoError when a program ends by itself."""
        ready = select.select([self._asked, *(child.ended for child in self._children)], [], [], timeout_s)[0]
        if self._asked in ready:
            os.read(self._asked, 1)
            raise Stopped
        for child in self._children:
            if child.ended in ready:
                code = child.process.wait()
                raise DemoError(f"{child.name} ended with code {code}; {child.log} ends with\n{_tail(child.log)}")

    def trim_logs(self) -> None:
        """Empty logs that have become large: a demo may run for weeks."""
        for child in self._children:
            if child.log.stat().st_size > MAX_LOG_BYTES:
                os.truncate(child.log, 0)

    def stop(self) -> None:
        """Stop all, last started first. A second request of the user, or STOP_WITHIN_S, kills what is still there.

        Nobody reads that second request: once made, it is seen by every wait that follows.
        """
        for child in reversed(self._children):
            if child.process.poll() is None:
                child.process.terminate()
                select.select([child.ended, self._asked], [], [], STOP_WITHIN_S)
            with suppress(ProcessLookupError):  # nobody is left of its session
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
            os.close(child.ended)
        self._children.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the interpreter's signature
        with suppress(BlockingIOError):
            os.write(self._ask, b"!")


def _tail(log: Path) -> str:
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


def say(line: str) -> None:
    """Tell the user what is going on, beside the one line of output."""
    print(f"demo: {line}", file=sys.stderr, flush=True)

"""Signals as something to wait for beside file descriptors."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_HEARD = STOP | {signal.SIGCHLD}


class Signals:
    """What arrived since the last look. `fileno` becomes readable when something does."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver

    def fileno(self) -> int:
        """For a selector."""
        return self._receiver.fileno()

    def arrived(self) -> set[signal.Signals]:
        """Everything since the last call; does not block."""
        numbers: set[signal.Signals] = set()
        while True:
            try:
                numbers.update(signal.Signals(number) for number in self._receiver.recv(256))
            except BlockingIOError:
                return numbers


@contextmanager
def heard_signals() -> Iterator[Signals]:
    """Stop signals and the ends of children, instead of what they would do by themselves."""
    receiver, sender = socket.socketpair()
    receiver.setblocking(False)
    sender.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in _HEARD}
    wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    try:
        yield Signals(receiver)
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        receiver.close()
        sender.close()

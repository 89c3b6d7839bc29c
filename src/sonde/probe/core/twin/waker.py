"""What the sender waits with: for others to wake it, and for the agent to say something.

Two sockets, connected to each other. A program that makes itself a daemon closes every descriptor it finds; when that
takes the one that others write to, the wait on the other one ends. A new pair is made a moment later, when the program
is through: until then waits are short.
"""

from __future__ import annotations

import select
from _socket import MSG_DONTWAIT, MSG_NOSIGNAL, socketpair
from enum import Enum
from time import monotonic

from sonde.probe.core.twin.descriptor import Kept
from sonde.probe.core.twin.real import poll

_WITHOUT_S = 0.1
_LONGEST_S = 86400.0


class Waited(Enum):
    """How a wait ended."""

    OVER, WOKEN, HEARD = range(3)


class Waker:
    """One pair, for one thread that waits and any that wake it."""

    def __init__(self) -> None:
        self._near: Kept | None = None
        self._far: Kept | None = None
        self._make_at = 0.0

    def wake(self) -> None:
        """End the wait that goes on, or else the next one."""
        far = self._far
        if far is not None and far.is_ours():
            try:
                far.socket.send(b"\0", MSG_NOSIGNAL | MSG_DONTWAIT)
            except OSError:
                return  # full of wakes, or gone: either ends the wait

    def wait(self, agent: int, until: float) -> Waited:
        """Wait until woken, until the descriptor `agent` (-1: none) has something to say, or until that time."""
        near, left = self._near, max(0.0, min(until - monotonic(), _LONGEST_S))
        watched = poll()
        if near is None:
            left = min(left, _WITHOUT_S)
        else:
            watched.register(near.socket.fileno(), select.POLLIN)
        if agent >= 0:
            watched.register(agent, select.POLLIN)
        found = {descriptor for descriptor, _ in watched.poll(left * 1000)}
        if not found:
            return Waited.OVER if monotonic() >= until else Waited.WOKEN
        if near is not None and near.socket.fileno() in found:
            self._forget_wakes(near)
        return Waited.HEARD if agent in found else Waited.WOKEN

    def close(self) -> None:
        """Also in a forked child: the pair is the parent's."""
        for end in (self._near, self._far):
            if end is not None:
                end.close()
        self._near = self._far = None

    def prepare(self) -> None:
        """Before a wait, and before anybody may wake: see that there is a pair, where there can be one."""
        if self._near is not None and self._near.is_ours() and self._far is not None and self._far.is_ours():
            return
        lost = self._near is not None
        self.close()
        if lost or (monotonic() >= self._make_at and not self._make_pair()):
            self._make_at = monotonic() + _WITHOUT_S

    def _make_pair(self) -> bool:
        try:
            near, far = socketpair()
            self._near, self._far = Kept(near), Kept(far)
        except OSError:  # no descriptor to be had
            self.close()
            return False
        return True

    def _forget_wakes(self, near: Kept) -> None:
        try:
            while near.is_ours() and len(near.socket.recv(64, MSG_DONTWAIT)) == 64:
                pass
        except OSError:
            return

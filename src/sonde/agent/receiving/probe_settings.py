"""What the server says to probes, by app: one thread asks the server, another tells the probes."""

from __future__ import annotations

import os
import threading
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, NamedTuple, Self

from sonde.wire.frames import Kind, frame

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_REMEMBERED = 256
"""Apps without a connected probe: one that comes back while the server is away is told what was last said."""


class _Said(NamedTuple):
    frame: bytes
    etag: str


class ProbeSettings:
    """By app token; the empty one stands for the agent's own. Thread-safe. `fileno` can be read when there is news."""

    def __init__(self, agent_token: str) -> None:
        self._agent_token = agent_token
        self._lock = threading.Lock()
        self._probes: Counter[str] = Counter()  # connected ones, by token
        self._said: OrderedDict[str, _Said] = OrderedDict()
        self._wake = threading.Event()

    def __enter__(self) -> Self:
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._bell)

    # -- for who tells ------------------------------------------------------------------------------------------------
    def fileno(self) -> int:
        """For a selector."""
        return self._bell

    def hear(self) -> None:
        """The news is taken note of: `fileno` is silent until there is more."""
        os.eventfd_read(self._bell)

    def joined(self, token: str) -> None:
        """A probe is connected under this token."""
        with self._lock:
            self._probes[token or self._agent_token] += 1
        self._wake.set()

    def left(self, token: str) -> None:
        """It is not any more."""
        key = token or self._agent_token
        with self._lock:
            self._probes[key] -= 1
            if not self._probes[key]:
                del self._probes[key]

    def frame(self, token: str) -> bytes | None:
        """What probes under this token are told. None: nobody knows yet."""
        with self._lock:
            said = self._said.get(token or self._agent_token)
        return said.frame if said else None

    # -- for who asks -------------------------------------------------------------------------------------------------
    def tokens(self) -> Collection[str]:
        """Under which it is worth asking: the agent's own, and those of connected probes. None is empty."""
        with self._lock:
            return {*self._probes, self._agent_token} - {""}

    def wait(self, timeout_s: float | None) -> None:
        """Until a probe joins, somebody calls `wake`, or the time is over."""
        self._wake.wait(timeout_s)
        self._wake.clear()

    def wake(self) -> None:
        """End a `wait`."""
        self._wake.set()

    def etag(self, token: str) -> str:
        """The server's name for what is known; empty where nothing is."""
        with self._lock:
            said = self._said.get(token)
        return said.etag if said else ""

    def learned(self, token: str, document: bytes, etag: str) -> None:
        """The server has said this."""
        said = _Said(frame(Kind.SETTINGS, document), etag)
        with self._lock:
            before = self._said.pop(token, None)
            self._said[token] = said
            self._forget_some()
        if before is None or before.frame != said.frame:
            os.eventfd_write(self._bell, 1)

    def _forget_some(self) -> None:
        unused = [token for token in self._said if token not in self._probes and token != self._agent_token]
        for token in unused[: max(0, len(unused) - MAX_REMEMBERED)]:
            del self._said[token]

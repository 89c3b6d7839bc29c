"""What is collected every few seconds, in the sender's thread: runtime metrics, and counts of what was not sampled.

Frames wait here for the sender. Bounded: what is more than MAX_BYTES is dropped, the oldest first, and counted.
"""

from __future__ import annotations

from collections import deque
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING

from sonde.probe.core.twin import counting, tally
from sonde.probe.core.twin.recorder import recorder
from sonde.wire.frames import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Said = list[tuple[int, bytes]]
    Tick = Callable[[int, bool, Said], Iterable[tuple[int, bytes]]]

SOON_S = 2.0
MAX_BYTES = 4 << 20


class _State:
    function: Tick | None = None
    whole_every_s = 10.0
    whole_at = soon_at = 0.0
    bytes = 0
    asked = False


_state = _State()
_lock = RLock()
_frames: deque[tuple[Kind, bytes]] = deque()
_said: deque[tuple[int, bytes]] = deque(maxlen=64)


def on_tick(function: Tick | None, every_s: float = 10.0, /) -> None:
    """`function(gil_wait_ns, whole, said)` gives frames, kind and payload.

    `whole`: metrics are due, each `every_s`. `said`: frames of the agent's.
    """
    _state.function, _state.whole_every_s = function, every_s
    _state.whole_at, _state.soon_at = monotonic() + every_s, monotonic() + SOON_S


def ask_tick() -> None:
    """There is something to send, within seconds."""
    _state.asked = True
    recorder.tallied()


def heard(kind: int, payload: bytes) -> None:
    """The agent said something."""
    with _lock:
        _said.append((kind, payload))


def due_at() -> float:
    """When the next one is due, by the monotonic clock."""
    if _state.function is None:
        return float("inf")
    if _said:
        return 0.0
    return min(_state.whole_at, _state.soon_at) if tally.waits() or _state.asked else _state.whole_at


def if_due() -> None:
    """Collect if it is due."""
    now = monotonic()
    if now < due_at():
        return
    whole = now >= _state.whole_at
    if whole:
        _state.whole_at = now + _state.whole_every_s
    _state.soon_at = now + SOON_S
    collect(whole=whole)


def collect(*, whole: bool = False) -> None:
    """Collect what there is."""
    if _state.function is None:
        return
    _state.asked = False
    with _lock:
        said = list(_said)
        _said.clear()
    try:
        for kind, payload in _state.function(0, whole, said):
            _add(Kind(kind), payload)
    except Exception as error:
        recorder.fault(error)


def _add(kind: Kind, payload: bytes) -> None:
    with _lock:
        if len(payload) > MAX_BYTES:
            counting.count("dropped_frames")
            return
        while _state.bytes + len(payload) > MAX_BYTES:
            _state.bytes -= len(_frames.popleft()[1])
            counting.count("dropped_frames")
        _frames.append((kind, payload))
        _state.bytes += len(payload)


def first() -> tuple[Kind, bytes] | None:
    """The oldest frame."""
    with _lock:
        return _frames[0] if _frames else None


def sent(extra: tuple[Kind, bytes]) -> None:
    """It went: let go of it, if it is still here."""
    with _lock:
        if _frames and _frames[0] is extra:
            _frames.popleft()
            _state.bytes -= len(extra[1])


def forget() -> None:
    """In a forked child: what waits is the parent's."""
    global _lock  # noqa: PLW0603 - one per process, and this is another process
    _lock = RLock()
    _frames.clear()
    _said.clear()
    _state.bytes = 0
    _state.whole_at = monotonic() + _state.whole_every_s

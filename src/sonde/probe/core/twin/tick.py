"""What is done beside the application, in a thread of its own (work.py).

Runtime metrics and counts of what was not sampled are collected every few seconds; what the agent says is heard at
once. Frames wait here for the sender. Bounded: what is more than MAX_BYTES is dropped, the oldest first, and counted.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from sonde.probe.core.twin import counting, tally
from sonde.probe.core.twin.real import RLock
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
    hears: Callable[[bytes], object] | None = None
    whole_every_s = 10.0
    whole_at = soon_at = 0.0
    bytes = 0
    asked = False


_state = _State()
_lock = RLock()
_frames: deque[tuple[Kind, bytes]] = deque()
_said: deque[tuple[int, bytes]] = deque(maxlen=64)
_commands: deque[bytes] = deque(maxlen=64)


def on_tick(function: Tick | None, every_s: float = 10.0, /) -> None:
    """`function(gil_wait_ns, whole, said)` gives frames, kind and payload.

    `whole`: metrics are due, each `every_s`. `said`: frames of the agent's.
    """
    _state.function, _state.whole_every_s = function, every_s
    _state.whole_at, _state.soon_at = monotonic() + every_s, monotonic() + SOON_S


def on_command(function: Callable[[bytes], object] | None, /) -> None:
    """`function(payload)` hears each command of the agent's."""
    if function is not None and not callable(function):
        raise TypeError("a function or None is needed")
    _state.hears = function


def ask_tick() -> None:
    """There is something to send, within seconds."""
    _state.asked = True
    recorder.tallied()


def heard(kind: int, payload: bytes) -> None:
    """The agent said something."""
    with _lock:
        if kind == Kind.COMMAND:
            _commands.append(payload)
        else:
            _said.append((kind, payload))


def unheard() -> None:
    """What the agent has said to a probe that is off is not for the next one."""
    with _lock:
        _said.clear()
        _commands.clear()


def _collect_at() -> float:
    if _state.function is None:
        return float("inf")
    return min(_state.whole_at, _state.soon_at) if tally.waits() or _state.asked else _state.whole_at


def due_at() -> float:
    """When there is something to do, by the monotonic clock."""
    if (_said and _state.function is not None) or (_commands and _state.hears is not None):
        return 0.0
    return _collect_at()


def due_work() -> Callable[[], None]:
    """What is due now, to be called in another thread."""
    now = monotonic()
    due, whole = now >= _collect_at(), now >= _state.whole_at
    if whole:
        _state.whole_at = now + _state.whole_every_s
    if due:
        _state.soon_at = now + SOON_S

    def work() -> None:
        _hear_commands()
        if due or _said:
            collect(whole=whole)

    return work


def _hear_commands() -> None:
    while _commands and _state.hears is not None:
        try:
            _state.hears(_commands.popleft())
        except Exception as error:
            recorder.fault(error)


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
    _commands.clear()
    _state.bytes = 0
    _state.whole_at = monotonic() + _state.whole_every_s

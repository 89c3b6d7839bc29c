"""What was to blame for a stall: which line, and why it took so long."""

from __future__ import annotations

from typing import NamedTuple

from sonde.probe.tools.places import Place, own_line
from sonde.probe.tools.system_calls import call_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

CAUSES = ("python", "c_call", "c_call_without_gil", "gil_wait", "gc", "system_call", "lock_wait", "cpu_wait")
"""In the order of native/tools/stalls/episode.h."""
UNSEEN = "unseen"
"""It was over before anybody could look, or nothing could be read."""
_KINDS = ("callback", "iteration")
_HALF = 0.5


class Held(NamedTuple):
    """A stack that stood for a while, the outermost frame first."""

    ns: int
    looks: int
    cause: str
    call: str
    holder_tid: int
    stack: tuple[Place, ...]
    holder: tuple[Place, ...]


class Stall(NamedTuple):
    """One, with its verdict."""

    kind: str
    ended: bool
    began_unix_ns: int
    duration_ns: int
    tid: int
    callback: str
    task: str
    coroutine: str
    trace_id: bytes
    span_id: bytes
    endpoint: str
    cause: str
    causes: dict[str, int]
    """ns, as far as was seen."""
    line: Place | None
    """The innermost line of the application's own code that at least half of the time is owed to; where there is none,
    that of a library."""
    innermost: Place | None
    """The same of all code."""
    call: str
    """The system call, for the cause system_call."""
    held_by: str
    """Who had the GIL meanwhile, for the cause gil_wait."""
    gc_ns: int
    stack: tuple[Place, ...]
    """The heaviest that leads to the innermost line; the outermost first."""
    held: tuple[Held, ...]


def judged(raw: tuple[Any, ...]) -> Stall:
    """Of a tuple of the native part, see _stalls.pyi."""
    (kind, ended, began, duration, tid, said, trace_id, span_id, endpoint, gc_ns, _, _, base, rows, seen) = raw
    places = [Place(*row) for row in rows]
    held = _whole(tuple(_held(one, places) for one in seen))
    causes: dict[str, int] = {}
    for one in held:
        causes[one.cause] = causes.get(one.cause, 0) + one.ns
    path = heaviest_path([(one.ns, one.stack) for one in held])
    stack = max((one for one in held if one.stack[: len(path)] == path), key=lambda one: one.ns).stack if path else ()
    cause = "gc" if gc_ns > duration * _HALF else _heaviest_cause(causes)
    runner = base or _runner(stack)
    callback, task, coroutine = said or ("", "", _coroutine(stack, base))
    return Stall(
        kind=_KINDS[kind],
        ended=ended,
        began_unix_ns=began,
        duration_ns=duration,
        tid=tid,
        callback=callback,
        task=task,
        coroutine=coroutine,
        trace_id=trace_id,
        span_id=span_id,
        endpoint=endpoint,
        cause=cause,
        causes=causes,
        line=own_line(path[runner:]) or (path[-1] if path else None),
        innermost=path[-1] if path else None,
        call=_heaviest_call(held) if cause == "system_call" else "",
        held_by=_holder(held) if cause == "gil_wait" else "",
        gc_ns=gc_ns,
        stack=stack,
        held=held,
    )


def heaviest_path(stacks: Sequence[tuple[int, tuple[Place, ...]]]) -> tuple[Place, ...]:
    """From the outermost frame inward, as far as at least half of all weight goes the same way."""
    total = sum(weight for weight, _ in stacks)
    path: list[Place] = []
    left = [one for one in stacks if one[1]]
    while left:
        at = len(path)
        weights: dict[Place, int] = {}
        for weight, stack in left:
            if len(stack) > at:
                weights[stack[at]] = weights.get(stack[at], 0) + weight
        if not weights:
            break
        best = max(weights, key=lambda place: weights[place])
        if weights[best] < total * _HALF:
            break
        path.append(best)
        left = [one for one in left if len(one[1]) > at and one[1][at] == best]
    return tuple(path)


def _held(raw: tuple[Any, ...], places: list[Place]) -> Held:
    ns, looks, cause, call, holder_tid, stack, holder = raw
    return Held(
        ns,
        looks,
        CAUSES[cause],
        call_name(call),
        holder_tid,
        tuple(places[at] for at in reversed(stack)),
        tuple(places[at] for at in reversed(holder)),
    )


def _heaviest_cause(causes: dict[str, int]) -> str:
    """Where the kernel ran others for a while, it is still what the thread did itself that people ask for."""
    if not causes:
        return UNSEEN
    own = {cause: ns for cause, ns in causes.items() if cause != "cpu_wait"}
    if not own or causes.get("cpu_wait", 0) > sum(causes.values()) * _HALF:
        return "cpu_wait"
    return max(own, key=lambda cause: own[cause])


def _heaviest_call(held: Sequence[Held]) -> str:
    calls: dict[str, int] = {}
    for one in held:
        if one.call:
            calls[one.call] = calls.get(one.call, 0) + one.ns
    return max(calls, key=lambda name: calls[name]) if calls else ""


def _holder(held: Sequence[Held]) -> str:
    waits = [one for one in held if one.cause == "gil_wait"]
    path = heaviest_path([(one.ns, one.holder) for one in waits])
    if not path:
        return ""
    tid = max((one for one in waits if one.holder), key=lambda one: one.ns).holder_tid
    return f"thread {tid} at {own_line(path)}"


def _whole(held: tuple[Held, ...]) -> tuple[Held, ...]:
    """Without stacks that end in a generator which was just being left, where there are better ones."""
    return tuple(one for one in held if _runner(one.stack)) or held


def _runner(stack: Sequence[Place]) -> int:
    """How many frames, from the outermost on, only run the loop: whose line is written there is not to blame."""
    for at in range(len(stack) - 1, -1, -1):
        if stack[at].name == "Handle._run" and stack[at].file.endswith("asyncio/events.py"):
            return at + 1
    return 0


def _coroutine(stack: Sequence[Place], base: int) -> str:
    """What a uvloop has called: the first frame above the one that runs it."""
    while 0 < base < len(stack) and stack[base].file.endswith("/uvloop/__init__.py"):
        base += 1  # its run() wraps what it is given
    return stack[base].name if 0 < base < len(stack) else ""

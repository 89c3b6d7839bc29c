"""heap: what fills memory now, and what of it is new.

The kernel copies the process, and a process of its own looks at the copy (native/tools/heap): the application waits for
as long as the copying takes, and no object of its is touched. There is no Python twin: one would hold every object it
looks at, and let go of them in a thread that is not theirs.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import OrderedDict
from time import monotonic

from sonde.probe.tools.heap_memory import copied, kernel_memory, object_allocator, resident
from sonde.probe.tools.originals import original
from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any, ClassVar

FORMAT = "sonde.heap.v1"
ROWS = 100
"""Of the tables in the summary."""
MAX_KEPT = 2
"""Snapshots that this process keeps to be compared with; the oldest goes first."""

_PAUSE_MS_A_GIB = 80.0
"""What copying takes on a virtual machine with pages of 4 KiB: see bench/results/tools_heap.md."""
_LOOK_EVERY_S = 0.005
_MORE_OBJECTS = 200_000
"""Beside those of the allocator: large ones, and those that the interpreter was built with."""
_LEAST_BYTES = 48
"""Of an object and what the allocator adds, about."""
_DIRTIED_SHARE = 0.1
"""Of the memory in use: what the application writes to while it is looked at exists twice."""


def _native() -> ModuleType | None:
    """The C part; None where it was not built or this is no main interpreter."""
    try:
        from sonde.probe.tools import _heap
    except ImportError:
        return None
    return _heap


class _Kept:
    """What a snapshot held, for a later run to be compared with."""

    def __init__(self, seen: Any, taken_at: float) -> None:
        self.seen = seen
        self.taken_at = taken_at


_kept: OrderedDict[str, _Kept] = OrderedDict()
_names = iter(range(1, sys.maxsize))


class Heap:
    """One run."""

    name: ClassVar[str] = "heap"
    heavy: ClassVar[bool] = True
    at_once: ClassVar[bool] = True
    cpu_share: ClassVar[float] = 100.0  # its work is done in one or two bursts, each ended after time_limit_s
    options: ClassVar[Mapping[str, Option]] = {
        "again_after_s": Option(
            default=0.0, doc="look twice, so far apart, and say what grew; 0: once", at_least=0, at_most=300
        ),
        "baseline": Option(default="", doc="the name of a kept snapshot of this process: say what grew since"),
        "keep": Option(
            default=False, doc="keep what the snapshot held (8 to 16 bytes an object), for a later `baseline`"
        ),
        "max_objects": Option(
            default=10_000_000, doc="look at no more than these", at_least=10_000, at_most=200_000_000
        ),
        "max_pause_ms": Option(
            default=50.0, doc="refuse where the application would have to wait for longer", at_least=1, at_most=10_000
        ),
        "time_limit_s": Option(default=30.0, doc="give up after this", at_least=1, at_most=300),
    }

    def __init__(self) -> None:
        self._native: Any = None
        self._options: Mapping[str, Any] = {}
        self._image: Any = None
        self._first = b""  # not decoded before the end: a second look would see what it becomes
        self._first_seen: Any = None
        self._apart_s = 0.0
        self._looked_at = 0.0
        self._pauses_ms: list[float] = []
        self._cpu_s = 0.0

    @classmethod
    def state(cls) -> State:
        """It can wherever it was built; the kernel may still refuse."""
        if _native() is None:
            return State(
                available=False,
                why_not="the native part was not built for this Python",
                unlock="a wheel of sonde for CPython 3.11 to 3.13 on Linux",
            )
        return State(
            exact="all objects at one moment; counts and sizes by type; who refers to whom; what is retained",
            approximate="memory that C libraries hold for an object is not part of its size; an object whose address "
            "another of its type has taken over counts as old in a comparison",
        )

    @classmethod
    def needs_bytes(cls, options: Mapping[str, Any]) -> int:
        """Memory of the process that looks, and of what the application writes meanwhile, about."""
        native = _native()
        needs = native.needs(_objects(options)) if native is not None else 0
        return int(needs) + int(_DIRTIED_SHARE * resident())

    @classmethod
    def seconds_of(cls, options: Mapping[str, Any]) -> float:
        """Between `start` and `stop`."""
        return float(options["again_after_s"])

    def start(self, options: Mapping[str, Any], seconds: float) -> None:
        """The first look, or the only one."""
        native = _native()
        if native is None:
            raise ToolError("unavailable", "heap: the native part was not built for this Python")
        self._native, self._options = native, options
        before = None
        if options["baseline"]:
            if seconds:
                raise ToolError("bad_options", "heap: baseline and again_after_s are two ways to compare: take one")
            kept = _kept.get(options["baseline"])
            if kept is None:
                there_are = ", ".join(_kept) or "none; take one with keep"
                raise ToolError("bad_options", f"heap: no snapshot {options['baseline'][:60]!r} is kept: {there_are}")
            before, self._apart_s = kept.seen, monotonic() - kept.taken_at
        self._first = self._look(before, keep=bool(options["keep"]) or seconds > 0)
        self._looked_at = monotonic()
        self._first_seen = native.seen(self._image)
        self._image = None

    def progress(self) -> str:
        """There is a time between two looks."""
        return "looked once; looking again at the end"

    def cpu_s(self) -> float:
        """Of the processes that looked."""
        return self._cpu_s

    def stop(self) -> Result:
        """The second look, if one is wanted, and what was found."""
        found, seen, taken_at = self._first, self._first_seen, self._looked_at
        self._first, self._first_seen = b"", None
        if self._options["again_after_s"]:
            self._apart_s = monotonic() - self._looked_at
            found = self._look(seen, keep=bool(self._options["keep"]))
            seen, taken_at = self._native.seen(self._image), monotonic()
            self._image = None
        document: dict[str, Any] = {"format": FORMAT, **json.loads(found), **self._costs()}
        memory = {"kernel": kernel_memory(), "objects": object_allocator(self._native), "native": self._native.native()}
        document["memory"] = memory
        if self._options["keep"] and seen is not None:
            document["snapshot"] = _keep(_Kept(seen, taken_at))
        content = (json.dumps(document, separators=(",", ":")) + "\n").encode()
        artifact = Artifact("heap.json", "application/json", content)
        return Result(_summary(document), _notes(document), [artifact])

    def abort(self) -> None:
        """Look no longer."""
        image, self._image = self._image, None
        if image is not None:
            self._native.end(image)
        self._first_seen = None

    def after_fork(self) -> None:
        """What looks is the parent's, and so is what was kept."""
        self._image = self._first_seen = None
        _kept.clear()

    def _costs(self) -> dict[str, Any]:
        return {
            "longest_pause_ms": round(max(self._pauses_ms), 3),
            "cpu_ms": round(self._cpu_s * 1000, 1),
            "apart_s": round(self._apart_s, 3),
        }

    def _look(self, before: Any, *, keep: bool) -> bytes:
        pause_ms = copied() / (1 << 30) * _PAUSE_MS_A_GIB
        if pause_ms > self._options["max_pause_ms"]:
            raise ToolError(
                "too_slow",
                f"heap: the application would wait for about {pause_ms:.0f} ms, which is more than max_pause_ms",
            )
        native, took = self._native, original("time", "sleep")
        types = [
            getattr(sys.modules.get(module), name, None)
            for module, name in (("collections", "deque"), ("array", "array"))
        ]
        try:
            self._image = native.take(_objects(self._options), sys.modules, before, keep, *types)
        except OSError as error:
            raise ToolError("unavailable", f"heap: the kernel makes no copy of the process: {error}") from error
        until = monotonic() + self._options["time_limit_s"]
        while not native.ended(self._image):
            if monotonic() > until:
                native.end(self._image)
                raise ToolError("too_slow", "heap: it was not done within time_limit_s; nothing was found")
            took(_LOOK_EVERY_S)
        return self._outcome()

    def _outcome(self) -> bytes:
        outcome = self._native.outcome(self._image)
        self._pauses_ms.append(outcome["pause_ns"] / 1e6)
        self._cpu_s += outcome["cpu_ns"] / 1e9
        ended_by = outcome["status"] & 0x7F
        if ended_by == signal.SIGKILL or (not ended_by and not outcome["report"]):
            raise ToolError("no_memory", "heap: there was not enough memory to look; ask for less max_objects")
        if outcome["status"]:
            raise ToolError(
                "error", f"heap: the process that looked ended by signal {ended_by}; this one was not touched"
            )
        if outcome["full"]:
            raise ToolError("error", "heap: what was found is longer than 2 MiB")
        return bytes(outcome["report"])


def _objects(options: Mapping[str, Any]) -> int:
    """Room to look with. Another allocator (PYTHONMALLOC) does not count its blocks."""
    blocks = sys.getallocatedblocks() or copied() // _LEAST_BYTES
    return min(int(options["max_objects"]), blocks + _MORE_OBJECTS)


def _keep(snapshot: _Kept) -> str:
    name = f"h{next(_names)}"
    _kept[name] = snapshot
    while len(_kept) > MAX_KEPT:
        _kept.popitem(last=False)
    return name


def _summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """What people read in a table: the way to an object is one text there."""
    large = {"format", "growth", "types", "roots", "retained", "largest"}
    summary: dict[str, Any] = {name: value for name, value in document.items() if name not in large}
    growth = document.get("growth", {})
    for name in ("holders", "grown_types"):
        if name in growth:
            summary[name] = [_row(row) for row in growth[name][:ROWS]]
    types = ("type", "module", "objects", "bytes")
    summary["types"] = [dict(zip(types, row, strict=True)) for row in document.get("types", [])[:ROWS]]
    for name in ("retained", "largest"):
        summary[name] = [_row(row) for row in document.get(name, [])[:ROWS]]
    summary["roots"] = [{"root": name, "retained_bytes": size} for name, size in document.get("roots", [])[:ROWS]]
    return summary


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    ways = {name: way(row[name]) for name in ("chain", "example") if name in row}
    kinds = {"kinds": ", ".join(f"{count:,} {name}" for name, count, _ in row["kinds"])} if "kinds" in row else {}
    return {name: value for name, value in row.items() if name not in {"chain", "example", "kinds"}} | kinds | ways


def way(chain: Sequence[Sequence[Any]]) -> str:
    """`module shop.cache[str][17].name`."""
    if not chain:
        return ""
    root, *steps = (step[0] for step in chain)
    parts = [via if via[:1] in {".", "["} else f" → {via or '?'}" for via in steps]
    return "".join((str(root), *parts))


def _notes(document: Mapping[str, Any]) -> list[str]:
    memory = document["memory"]
    private, arenas = memory["kernel"].get("private", 0), memory["objects"]
    pause_ms, cpu_s = document["longest_pause_ms"], document["cpu_ms"] / 1000
    notes = [
        f"The application waited for {pause_ms:.1f} ms at the longest; a process of its own looked, for {cpu_s:.1f} s.",
    ]
    if private:
        share = document["bytes"] / private
        notes.append(
            f"Objects take up {_mib(document['bytes'])} of the {_mib(private)} of this process's own ({share:.0%}): "
            "the rest is native, as libraries and their data, stacks, and memory that was freed and not given back."
        )
    if arenas:
        unused = arenas["arena_bytes"] - arenas["used_bytes"]
        notes.append(
            f"Of the allocator's {_mib(arenas['arena_bytes'])} for small objects {_mib(unused)} are not in use."
        )
    if "roots" not in document:
        notes.append("There was no memory to find out what each object retains.")
    else:
        notes.append(
            "Retained: what would be free if the object went, by the dominators of the whole graph of references."
        )
    if document["left_out"]:
        notes.append(
            f"{document['left_out']:,} objects or references found no room in max_objects: sizes are too small."
        )
    if document["unreached"]:
        notes.append(
            f"{document['unreached']:,} objects are reached from no module and no frame: C code holds them, or they "
            "are garbage that was not collected yet. They are below `native code`."
        )
    return notes


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"

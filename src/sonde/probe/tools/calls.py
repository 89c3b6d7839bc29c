"""calls: who calls whom, how often, and how long that takes: every call of all threads, for some seconds.

The counting is done in C (native/tools/calls): there is no Python twin, since a call graph made in Python costs
17 times what the program does itself.
"""

from __future__ import annotations

import json
import sys
import threading

from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError
from sonde.wire.calls import FORMAT, top

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType
    from typing import Any, ClassVar

ROWS = 100
"""Of the tables in the summary."""

_SLICE = 2000
"""Rows read or written at once: other threads run between two slices."""

_BY_MONITORING = sys.version_info >= (3, 12)

_TOOL_IDS = (3, 4, 2, 5)
"""Of sys.monitoring, in the order they are tried: those that have no meaning first. 0 and 1 are left to debuggers and
to coverage."""

_TRACE_DIGITS = 32


def _native() -> ModuleType | None:
    """The C part; None where it was not built or this is no main interpreter."""
    try:
        from sonde.probe.tools import _calls
    except ImportError:
        return None
    return _calls


def _free_tool_id() -> int | None:
    """One nobody has taken; None: there is none."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # from 3.12 on
    return next((number for number in _TOOL_IDS if monitoring.get_tool(number) is None), None)


def _holders() -> str:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    return ", ".join(str(monitoring.get_tool(number)) for number in _TOOL_IDS)


def _why_not() -> tuple[str, str]:
    """Why no run can begin now, and what would change that; empty where one can."""
    if _native() is None:
        return "the native part of the call graph was not built for this Python", "a wheel of sonde for this platform"
    if _BY_MONITORING:
        if _free_tool_id() is None:
            return f"all tool ids of sys.monitoring are taken, by: {_holders()}", "one of them has to end"
        return "", ""
    if sys.getprofile() is not None or threading.getprofile() is not None:
        return "another profiler is on (sys.setprofile), and before Python 3.12 there is room for one", "end it"
    return "", ""


class Calls:
    """One run."""

    name: ClassVar[str] = "calls"
    heavy: ClassVar[bool] = True
    at_once: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Option]] = {
        "c_functions": Option(default=True, doc="also calls of functions and classes written in C"),
        "endpoint": Option(
            default="", doc="only inside of requests of this endpoint, as traces name it; * stands for anything"
        ),
        "trace": Option(default="", doc="only inside of this trace: 32 hex digits"),
        "max_functions": Option(
            default=20_000, doc="functions that are told apart; the others share one row", at_least=100, at_most=200_000
        ),
    }

    def __init__(self) -> None:
        self._native: ModuleType | None = None
        self._options: Mapping[str, Any] = {}
        self._hooked_threads = False

    @classmethod
    def state(cls) -> State:
        """Whether a run can begin, and how exact it is on this version."""
        why_not, unlock = _why_not()
        exact = "every call of Python functions from the start on, their callers, and calls of C functions from Python"
        approximate = (
            "times: they contain the watching itself, most where functions are tiny; time is real time, waits for "
            "the GIL included"
        )
        if not _BY_MONITORING:
            approximate += "; classes that are called, and threads that begin without `threading`, for up to a second"
        if "greenlet" in sys.modules:
            approximate += "; greenlets that switch inside of each other's calls mix up their callers and times"
        return State(available=not why_not, why_not=why_not, unlock=unlock, exact=exact, approximate=approximate)

    def start(self, options: Mapping[str, Any], seconds: float) -> None:  # noqa: ARG002 - the host ends it
        """Watch all threads but this one."""
        why_not, unlock = _why_not()
        native = _native()
        if why_not or native is None:
            raise ToolError("unavailable", f"calls: {why_not}; what would help: {unlock}")
        self._options = options
        trace = _trace_id(options["trace"])
        endpoint = options["endpoint"] or None
        tool_id = _free_tool_id() if _BY_MONITORING else -1
        if (endpoint or trace) and not _requests_are_known():
            raise ToolError(
                "unavailable",
                "calls: only the native recorder knows which request a thread serves, and it is not in use here; "
                "leave endpoint and trace empty",
            )
        try:
            by_thread = native.begin(options["max_functions"], tool_id, options["c_functions"], endpoint, trace)
        except (AttributeError, ImportError) as error:
            raise ToolError(
                "unavailable", f"calls: only the native recorder knows which request runs: {error}"
            ) from error
        except (RuntimeError, OSError, ValueError) as error:  # ValueError: somebody took the id just now
            raise ToolError("unavailable", f"calls: {error}") from error
        except MemoryError as error:
            raise ToolError("no_memory", "calls: no memory for the tables; ask for less max_functions") from error
        self._native = native
        if by_thread:
            threading.setprofile(native.adopt_here)
            self._hooked_threads = True

    def progress(self) -> str:
        """How many calls so far."""
        if self._native is None:
            return ""
        self._native.adopt()
        counts = self._native.counts()
        return f"{counts['events']:,} calls of {counts['functions'] - 2:,} functions"

    def cpu_s(self) -> float:
        """Not known: it is part of each call, and is seen in the application's own time."""
        return 0.0

    def stop(self) -> Result:
        """Watch no longer, and say what was seen."""
        native, self._native = self._native, None
        if native is None:
            raise ToolError("error", "calls: it does not run")
        self._unhook_threads()
        try:
            duration_ns = native.end()
            counts = native.counts()
            functions = list(_all(native.functions))
            edges = list(_all(native.edges))
        finally:
            native.forget()
        functions, edges = _without_unused(functions, edges)
        waiting = [function[3] for function in functions]
        graph = {
            "format": FORMAT,
            "duration_ns": duration_ns,
            "functions": [function[:3] for function in functions],
            "edges": edges,
            "waiting_ns": waiting,
        }
        summary = {
            "duration_ns": duration_ns,
            "calls": sum(edge[2] for edge in edges),
            "functions": len(functions),
            "edges": len(edges),
            **top(graph, ROWS),
        }
        artifact = Artifact("calls.json", "application/json", _json(graph))
        return Result(summary, self._notes(counts, edges), [artifact])

    def abort(self) -> None:
        """Watch no longer."""
        native, self._native = self._native, None
        if native is not None:
            self._unhook_threads()
            native.forget()

    def after_fork(self) -> None:
        """The child is watched by nobody."""
        native, self._native = self._native, None
        if native is not None:
            self._unhook_threads()
            native.after_fork()

    def _unhook_threads(self) -> None:
        if self._hooked_threads:
            self._hooked_threads = False
            threading.setprofile(None)

    def _notes(self, counts: Mapping[str, int], edges: list[tuple[int, ...]]) -> list[str]:
        notes = [
            "Times contain the watching, some 50 ns a call: tiny functions look dearer than they are.",
            "Calls that were under way at the start are outside (-1): only what they call from then on is seen.",
        ]
        wanted = self._options["endpoint"] or self._options["trace"]
        if wanted and not edges:
            notes.append(f"No call was seen inside of {wanted}: did a request of it come in that time?")
        if self._options["endpoint"]:
            notes.append(
                "A request belongs to its endpoint from the moment that it is routed; what runs before is left out."
            )
        if counts["cut"]:
            notes.append(f"{counts['cut']:,} calls found no room among max_functions and are under (others).")
        if counts["beyond"]:
            notes.append(f"{counts['beyond']:,} calls were nested deeper than 65,536 and are not counted.")
        if counts["aside"]:
            notes.append(
                f"{counts['aside']:,} times nested calls had taken half of a thread's stack: what was called from "
                "there, and in other threads meanwhile, is not counted."
            )
        if "greenlet" in sys.modules:
            notes.append("Greenlets are in use: where they switch inside of calls, callers and times are mixed up.")
        return notes


def _requests_are_known() -> bool:
    from sonde.probe import core

    return core.NATIVE


def _trace_id(text: str) -> bytes | None:
    if not text:
        return None
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) * 2 != _TRACE_DIGITS:
        raise ToolError("bad_options", f"calls: trace is 32 hex digits, not {text[:64]!r}")
    return found


def _all(piece: Callable[[int, int], list[tuple[Any, ...]]]) -> Iterator[tuple[Any, ...]]:
    at = 0
    while rows := piece(at, _SLICE):
        yield from rows
        at += len(rows)


def _without_unused(
    functions: list[tuple[Any, ...]], edges: list[tuple[int, ...]]
) -> tuple[list[tuple[Any, ...]], list[tuple[int, ...]]]:
    """The first function and the first edge are for what found no room: mostly for nothing."""
    edges = [edge for edge in edges if edge[2] or edge[3] or edge[4]]
    if any(0 in edge[:2] for edge in edges):
        return functions, edges
    return functions[1:], [(max(-1, edge[0] - 1), edge[1] - 1, *edge[2:]) for edge in edges]


def _json(graph: Mapping[str, Any]) -> bytes:
    """In slices, since the encoder lets nobody run meanwhile."""
    members = []
    for name, value in graph.items():
        if isinstance(value, list):
            rows = [
                json.dumps(value[at : at + _SLICE], separators=(",", ":"))[1:-1] for at in range(0, len(value), _SLICE)
            ]
            members.append(f'"{name}":[{",".join(rows)}]')
        else:
            members.append(f'"{name}":{json.dumps(value)}')
    return ("{" + ",\n".join(members) + "}\n").encode()

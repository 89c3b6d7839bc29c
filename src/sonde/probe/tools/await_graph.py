"""Tasks of asyncio: where each stands, and who waits for whom. Read from another thread than theirs, changing nothing.

A task waits for a future, which may be a task, or one that `gather`, `wait`, `wait_for` or a task group has put in
between: those are found by what they have hung on the tasks that they wait for.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from asyncio import tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MAX_TASKS = 5000
_TRIES = 100
_NAMED = 20
"""Of those that one waits for, at most."""


def await_graph(frames: int) -> tuple[list[dict[str, Any]], list[str]]:
    """`loops` of sonde.stacks.v1, and notes. At most `frames` of each task, the innermost first."""
    found, notes = _all_tasks()
    known = {id(task) for task in found}
    waiting: dict[int, asyncio.Task[Any]] = {}
    for task in found:
        future = getattr(task, "_fut_waiter", None)
        if future is not None:
            waiting[id(future)] = task
    loops: dict[int, dict[str, Any]] = {}
    for task in found:
        loop = task.get_loop()
        entry = loops.setdefault(id(loop), {"name": _loop_name(loop), "tid": _loop_tid(loop), "tasks": []})
        entry["tasks"].append(_described(task, loop, waiting, known, frames))
    for entry in loops.values():
        _turn_round(entry["tasks"])
        entry["tasks"].sort(key=lambda task: (not task["current"], task["name"]))
    return list(loops.values()), notes


def _all_tasks() -> tuple[list[asyncio.Task[Any]], list[str]]:
    """Of all loops; done ones left out."""
    found: dict[int, asyncio.Task[Any]] = {}
    for name in ("_all_tasks", "_scheduled_tasks", "_eager_tasks"):
        holder = getattr(tasks, name, None)
        for task in _copied(holder) if holder is not None else ():
            if hasattr(task, "get_loop") and not task.done():
                found[id(task)] = task
    notes = []
    if len(found) > MAX_TASKS:
        notes.append(f"{len(found):,} tasks: only {MAX_TASKS:,} of them are shown.")
    return list(found.values())[:MAX_TASKS], notes


def _copied(holder: Any) -> list[Any]:
    """A set that others add to meanwhile."""
    for _ in range(_TRIES):
        try:
            return list(holder)
        except RuntimeError:
            continue
    return []


def _loop_name(loop: Any) -> str:
    return f"{type(loop).__module__}.{type(loop).__qualname__}"


def _loop_tid(loop: Any) -> int:
    """Native id of the thread it runs in; 0: not known, or it does not run."""
    import threading

    thread = getattr(threading, "_active", {}).get(getattr(loop, "_thread_id", None))
    return getattr(thread, "native_id", 0) or 0


def _described(
    task: asyncio.Task[Any], loop: Any, waiting: dict[int, asyncio.Task[Any]], known: set[int], frames: int
) -> dict[str, Any]:
    current = _is_current(task, loop)
    future = getattr(task, "_fut_waiter", None)
    awaiting = [one.get_name() for one in _awaiting(task, waiting) if id(one) in known]
    return {
        "name": task.get_name(),
        "coroutine": getattr(task.get_coro(), "__qualname__", type(task.get_coro()).__qualname__),
        "current": current,
        "state": "running" if current else "waiting" if future is not None else "ready",
        "waits_for": _future_name(future),
        "awaited_by": sorted(set(awaiting)),
        "span": _span(task),
        "frames": _chain(task.get_coro(), frames),
    }


def _turn_round(described: list[dict[str, Any]]) -> None:
    """Who waits for a future that is no task, waits for those that it goes on after."""
    waited_for: dict[str, list[str]] = {}
    for task in described:
        for name in task["awaited_by"]:
            waited_for.setdefault(name, []).append(task["name"])
    for task in described:
        names = sorted(waited_for.get(task["name"], ()))
        if names and task["waits_for"].startswith("a "):
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            task["waits_for"] = f"{'task' if len(names) == 1 else 'tasks'} {', '.join(names[:_NAMED])}{more}"


def _is_current(task: asyncio.Task[Any], loop: Any) -> bool:
    try:
        return asyncio.current_task(loop) is task
    except RuntimeError:
        return False


def _future_name(future: Any) -> str:
    if future is None:
        return ""
    children = getattr(future, "_children", None)
    if children:
        shown = list(children)[:_NAMED]
        names = [child.get_name() if hasattr(child, "get_name") else "a future" for child in shown]
        more = f" and {len(children) - _NAMED} more" if len(children) > _NAMED else ""
        return f"all of {', '.join(names)}{more}"
    if hasattr(future, "get_name"):
        return f"task {future.get_name()}"
    return f"a {type(future).__qualname__}"


# -- who waits for a task --


def _awaiting(task: asyncio.Task[Any], waiting: dict[int, asyncio.Task[Any]]) -> Iterator[asyncio.Task[Any]]:
    """Those that go on when it ends."""
    if id(task) in waiting:
        yield waiting[id(task)]
    for callback in list(getattr(task, "_callbacks", None) or ()):
        called = callback[0] if isinstance(callback, tuple) else callback
        for held in _held_by(called):
            for future in (held, getattr(held, "_on_completed_fut", None)):  # the latter: a task group's
                if future is not None and id(future) in waiting:
                    yield waiting[id(future)]


def _held_by(called: Any) -> Iterator[Any]:
    """Objects that a callback has in its hands."""
    if isinstance(called, functools.partial):
        yield from called.args
        called = called.func
    owner = getattr(called, "__self__", None)
    if owner is not None:
        yield owner
    for cell in getattr(called, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # it is empty yet


# -- where a task stands --


def _chain(awaited: Any, most: int) -> list[list[Any]]:
    """The innermost first."""
    rows: list[list[Any]] = []
    for _ in range(10 * most):
        frame = next(
            (getattr(awaited, name) for name in ("cr_frame", "gi_frame", "ag_frame") if getattr(awaited, name, None)),
            None,
        )
        if frame is not None:
            code = frame.f_code
            rows.append([code.co_qualname, code.co_filename, frame.f_lineno or code.co_firstlineno])
        awaited = next(
            (
                getattr(awaited, name)
                for name in ("cr_await", "gi_yieldfrom", "ag_await")
                if getattr(awaited, name, None)
            ),
            None,
        )
        if awaited is None:
            break
    return rows[::-1][:most]


def _span(task: asyncio.Task[Any]) -> dict[str, str] | None:
    """What it is in, where the version lets us see a task's context and the native core is in use."""
    core = sys.modules.get("sonde.probe.core._core")
    context = getattr(task, "get_context", None)
    if core is None or context is None:
        return None
    span = context().get(core.CURRENT)
    if span is None or span.finished:
        return None
    return {"trace_id": span.trace_id, "span_id": span.span_id, "name": span.operation.name}

"""What threads are called, by native id, learned without taking a lock that a stuck thread may hold."""

from __future__ import annotations

import threading
from fnmatch import fnmatchcase


def thread_names() -> dict[int, str]:
    """Of all threads that the `threading` module knows."""
    active: dict[int, threading.Thread] = getattr(threading, "_active", {})
    found: dict[int, str] = {}
    for thread in list(active.values()):
        tid = getattr(thread, "native_id", None)
        if isinstance(tid, int):
            found[tid] = str(thread.name)
    return found


def chosen(said: str, names: dict[int, str]) -> list[int] | None:
    """The native ids that a list like `worker-*, 4711` means; None: all."""
    patterns = [part.strip() for part in said.split(",") if part.strip()]
    if not patterns:
        return None
    return [tid for tid, name in names.items() if any(p == str(tid) or fnmatchcase(name, p) for p in patterns)]

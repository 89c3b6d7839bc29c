"""What this process says of itself to `sonde doctor`: which plugins wrap what, and which of it has been called.

A file in the doctor's folder, written anew whenever something in it changes. So it is there also for a process that
ends by a signal or by `os._exit`, and needs no thread. Without the doctor, this module is not imported.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

from sonde.probe import guard
from sonde.probe.plugins import REGISTRY, engine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sonde.probe.plugins.plugin import Wrapper


class SelfReport:
    """The report of one interpreter of one process."""

    def __init__(self, folder: str, loaded: Collection[str]) -> None:
        self._folder = folder
        self._early = sorted(REGISTRY.keys() & loaded)
        self._interpreter = _interpreter()
        self._made = "start"
        self._state = "starting"
        self._called: set[str] = set()
        self._numbers = count()
        self._lock = threading.RLock()

    def started(self, *, runs: bool) -> None:
        """Whether the probe is on now."""
        self._state = "running" if runs else "off"
        self.changed()

    def observed(self, name: str, wrapper: Wrapper) -> Wrapper:
        """What `wrapper` puts at a point, and the first call of it is reported."""

        def noticing(wrapped: Callable[..., Any]) -> Callable[..., Any]:
            outer = wrapper(wrapped)
            if isinstance(outer, type):
                return outer

            def call(*args: Any, **kwargs: Any) -> Any:
                if name not in self._called:
                    self._called.add(name)
                    self.changed()
                return outer(*args, **kwargs)

            return call

        return noticing

    def changed(self) -> None:
        """Write the report anew. Where that is not possible, the process goes on without."""
        if self._state == "starting":
            return
        try:
            with self._lock:
                self._write()
        except Exception:
            guard.fault("selfreport")

    def after_fork(self) -> None:
        """In the child, which has called nothing yet."""
        self._lock = threading.RLock()
        self._made = "fork"
        self._called = set()
        self.changed()

    def _write(self) -> None:
        from sonde import probe
        from sonde.probe import core

        said = {
            "pid": os.getpid(),
            "ppid": os.getppid(),
            "interpreter": self._interpreter,
            "made": self._made,
            "command": sys.orig_argv,
            "python": ".".join(map(str, sys.version_info[:3])),
            "core": "native" if core.NATIVE else "python",
            "state": self._state,
            "reason": "",
            "early": self._early,
            "plugins": [
                {
                    "name": status.name,
                    "state": status.state,
                    "version": status.version,
                    "reason": status.reason,
                    "modules": sorted({point.partition(":")[0] for point in status.points}),
                    "called": status.name in self._called,
                }
                for status in probe.status()
            ],
            "faults": {place: {"times": times, "last": last} for place, (times, last) in guard.faults().items()},
        }
        path = os.path.join(self._folder, f"{os.getpid()}-{self._interpreter}.json")  # noqa: PTH118 - like sitecustomize
        new = f"{path}.{next(self._numbers)}"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, json.dumps(said, default=str, ensure_ascii=True).encode())
        finally:
            os.close(descriptor)
        os.replace(new, path)  # noqa: PTH105 - likewise; a reader sees the old one or the new one


def begin(folder: str, loaded: Collection[str]) -> SelfReport:
    """To be called before the probe starts. `loaded`: the modules imported before it."""
    report = SelfReport(folder, loaded)
    engine.observer = report
    os.register_at_fork(after_in_child=report.after_fork)
    atexit.register(report.changed)
    return report


def _interpreter() -> int:
    """0 is the main one, which each process has."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            module = __import__(name)
        except ImportError:
            continue
        current = module.get_current()
        return int(current[0] if isinstance(current, tuple) else current)
    return 0

"""Loops of the requests that the probe sees, under any server it knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sonde.probe.plugins.entry import templates, watchers

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.tools.leaks.tracker import Tracker

_MOST = 10_000
_PLACEHOLDER = re.compile(r"\\\{[^/]*?\\\}|<[^/]*?>|:[A-Za-z_]\w*|\\\*")


class Endpoint:
    """Which requests: a route as frameworks write it, `GET /orders/{id}`, `/orders/<int:id>`, `/static/*`; '': all."""

    def __init__(self, text: str) -> None:
        method, _, route = text.strip().rpartition(" ")
        self._method = method.strip().upper()
        self._path = re.compile(_pattern(route)) if route else None

    def has(self, entry: Any) -> bool:
        """Whether the request is one."""
        if self._method and entry.method != self._method:
            return False
        return self._path is None or self._path.fullmatch(entry.path) is not None


def _pattern(route: str) -> str:
    out, at = [], 0
    escaped = re.escape(route)
    for found in _PLACEHOLDER.finditer(escaped):
        whole = found[0] in {r"\*", r"<path:path>"} or "path:" in found[0] or found[0].endswith(r":path\}")
        out += [escaped[at : found.start()], ".*" if whole else "[^/]+"]
        at = found.end()
    return "".join([*out, escaped[at:]])


class Requests:
    """Watches requests, and makes one in `every` of those of the endpoint a loop, at most `most`."""

    def __init__(self, tracker: Tracker, endpoint: str = "", every: int = 1, most: int = 0) -> None:
        self._tracker = tracker
        self._endpoint = Endpoint(endpoint)
        self._every = every
        self._most = most
        self._loops: dict[int, Any] = {}
        self.seen = 0
        """Requests of the endpoint."""
        self.marked = 0

    def begin(self) -> None:
        """Watch from now on."""
        watchers.add(self)

    def end(self) -> None:
        """Watch no more; what runs is no loop's any more."""
        watchers.remove(self)
        self._loops.clear()

    def began(self, entry: Any) -> None:
        """Of a watcher."""
        if not self._endpoint.has(entry):
            return
        self.seen += 1
        if (self.seen - 1) % self._every or (self._most and self.marked >= self._most) or len(self._loops) >= _MOST:
            return
        loop = self._tracker.new()
        if self._tracker.begin(loop):
            self.marked += 1
            self._loops[id(entry)] = loop

    def ended(self, entry: Any) -> None:
        """Of a watcher."""
        loop = self._loops.pop(id(entry), None)
        if loop is not None:
            self._tracker.end(loop, route_of(entry))


class Waiting:
    """Gives each request a loop that does not count until the program marks it."""

    def __init__(self, new: Callable[[], Any], end: Callable[[Any, str], None]) -> None:
        self._new = new
        self._end = end
        self._loops: dict[int, Any] = {}

    def began(self, entry: Any) -> None:
        """Of a watcher."""
        if len(self._loops) < _MOST and (loop := self._new()) is not None:
            self._loops[id(entry)] = loop

    def ended(self, entry: Any) -> None:
        """Of a watcher."""
        loop = self._loops.pop(id(entry), None)
        if loop is not None:
            self._end(loop, route_of(entry))

    def has(self, loop: Any) -> bool:
        """Whether it is one of a request that runs, and does not count yet."""
        return not loop.number and any(one is loop for one in self._loops.values())


def route_of(entry: Any) -> str:
    """As traces name it."""
    if entry.name:
        return str(entry.name)
    return f"{entry.method} {templates.of(entry.path)}"

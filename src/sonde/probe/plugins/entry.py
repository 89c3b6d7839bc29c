"""What the entry spans of WSGI and ASGI have in common: operations by server, and the server's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.http import method_name
from sonde.probe.plugins.leaf import is_given_up
from sonde.probe.service import identity
from sonde.probe.templates import Templates

if TYPE_CHECKING:
    from typing import Any, Protocol

    from sonde.probe.core import Operation, Span
    from sonde.probe.propagation import Remote

    class Watcher(Protocol):
        """Who wants to hear of requests. What it raises is counted as a fault."""

        def began(self, entry: Any) -> None:
            """With `method` and `path`, and later `name`."""
            ...

        def ended(self, entry: Any) -> None:
            """Once."""
            ...


KEY = "sonde.entry"
"""Where an entry stands in a WSGI environ or ASGI scope: whoever finds it there opens no second span."""

Served = tuple[str, str, str, int | str, str]
"""Method, scheme, the server's host and port, protocol, as the server states them: `HTTP/1.1`, `1.1`, `websocket`."""


def _operation(served: Served) -> Operation:
    method, scheme, host, port_text, protocol = served
    port = int(port_text) if port_text else 0
    identity.served_at(host, port)
    name, method = method_name(method)
    constants: dict[str, object] = {"http.request.method": method, "url.scheme": scheme}
    if host:
        constants["server.address"] = host
    if port:
        constants["server.port"] = port
    if protocol == "websocket":
        constants["network.protocol.name"] = protocol
    elif protocol:
        constants["network.protocol.version"] = protocol.removeprefix("HTTP/")
    return core.operation(name, core.SERVER, constants)


names: Learned[tuple[str, str], str] = Learned(lambda key: f"{method_name(key[0])[0]} {key[1]}", room=2048)
"""(method, route) → span name."""

operations: Learned[Served, Operation] = Learned(_operation, room=512)
"""Made at the first request of a kind, which is also when the process learns under which address it serves."""


def failing(span: Span, error: BaseException) -> bool:
    """Mark a request's span failed; False where the client gave it up."""
    try:
        if is_given_up(error):
            span.set("sonde.cancelled", True)
            return False
        span.set("error.type", type(error).__qualname__)
        span.fail(error)
    except Exception:
        fault("entry.fail")
    return True


NOT_FOUND = frozenset({404, 405})
"""Answers to what is no address of the program's: anybody may send anything, so these name no request."""

templates = Templates()


class Ignored:
    """The setting `ignore_paths`: which requests are left out. There is one, `ignored`."""

    def __init__(self) -> None:
        self._whole: frozenset[str] = frozenset()
        self._beginnings: tuple[str, ...] = ()

    def begin(self, patterns: str) -> None:
        """`/healthz,/static/*`: whole paths, and beginnings of paths."""
        given = [pattern.strip() for pattern in patterns.split(",") if pattern.strip()]
        self._whole = frozenset(pattern for pattern in given if not pattern.endswith("*"))
        self._beginnings = tuple(pattern[:-1] for pattern in given if pattern.endswith("*"))
        if core.NATIVE:
            core.entries({"ignored": self if given else None})

    def __call__(self, path: str) -> bool:
        """Whether requests to `path` are."""
        return path in self._whole or (bool(self._beginnings) and path.startswith(self._beginnings))


ignored = Ignored()


def unrouted(span: Span, method: str, path: str) -> None:
    """No framework told the route: name the request by what its path looks like."""
    try:
        template = templates.of(path)
        span.set("url.template", template)
        span.rename(names[method, template])
    except Exception:
        fault("entry.unrouted")


class Watchers:
    """Who hears of each request's begin and end, in its own context: usually nobody. There is one, `watchers`."""

    def __init__(self) -> None:
        self._all: tuple[Watcher, ...] = ()

    def add(self, watcher: Watcher) -> None:
        """Tell it of requests that begin from now on."""
        self._set((*self._all, watcher))

    def remove(self, watcher: Watcher) -> None:
        """Tell it no more, not even that a request has ended."""
        self._set(tuple(one for one in self._all if one is not watcher))

    def began(self, entry: Any) -> None:
        """The request's span is the current one now."""
        for watcher in self._all:
            watcher.began(entry)

    def ended(self, entry: Any) -> None:
        """It has left its span."""
        for watcher in self._all:
            watcher.ended(entry)

    def _set(self, all_: tuple[Watcher, ...]) -> None:
        self._all = all_
        if core.NATIVE:
            one = all_[0] if len(all_) == 1 else self
            core.entries({"began": one.began if all_ else None, "ended": one.ended if all_ else None})


watchers = Watchers()


class Entry:
    """A request on its way through the process, from the server's call to the last byte of the answer.

    Its methods are guarded: they may be called outside a `try`.
    """

    __slots__ = ("_failed", "_routed", "method", "name", "path", "span", "status")

    def __init__(self, served: Served, path: str, remote: str | Remote | None) -> None:
        self.method = served[0]
        self.path = path
        self._failed = self._routed = False
        self.name: str | None = None
        """Method and route; None while that is not known."""
        self.status = 0
        """The answer's status code; 0 while there is none."""
        operation = operations[served]
        self.span: Span | None = core.silence(operation) if ignored(path) else core.scope(operation, None, remote)
        """None when the entry is finished."""
        self.span.set("url.path", path)
        try:
            watchers.began(self)
        except Exception:
            fault("entry.watch")

    def routed(self, route: str) -> None:
        """The framework found the route: `/orders/<int:id>`."""
        span = self.span
        if span is None:
            return
        self._routed = True
        try:
            span.set("http.route", route)
            self.name = names[self.method, route]
            span.rename(self.name)
        except Exception:
            fault("entry.routed")

    def fail(self, error: BaseException) -> None:
        """Mark the request failed by an exception, unless the client gave it up. The first one counts."""
        if self.span is not None and not self._failed:
            self._failed = failing(self.span, error)

    def finish(self) -> None:
        """End the span, the first time."""
        span, self.span = self.span, None
        if span is None:
            return
        try:
            status = self.status
            if not self._routed and status not in NOT_FOUND:
                unrouted(span, self.method, self.path)
            if status:
                span.set("http.response.status_code", status)
                if status >= 500 and not self._failed:
                    span.set("error.type", str(status))
                    span.fail(None)
            span.finish()
        except Exception:
            fault("entry.finish")
        try:
            watchers.ended(self)
        except Exception:
            fault("entry.watch")


if core.NATIVE:
    core.entries(
        {"key": KEY, "operations": operations, "names": names, "failing": failing, "fault": fault, "unrouted": unrouted}
    )

"""`sonde.track_leaks`: loops that the program marks itself. They are told in the leak log."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins.entry import watchers
from sonde.probe.plugins.points import dressed
from sonde.probe.tools.leaks.lines import written
from sonde.probe.tools.leaks.log import LeakLog
from sonde.probe.tools.leaks.requests import Waiting
from sonde.probe.tools.leaks.tracker import Tracker, native
from sonde.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from sonde.probe.tools.leaks.tracker import Told


class Marking:
    """The tracker of what the program marks, made at its first mark. There is one, `marking`."""

    def __init__(self) -> None:
        self.tracker: Tracker | None = None
        self._log: LeakLog | None = None
        self._waiting = Waiting(self._awaiting, self._ended)
        self._own: dict[int, None] = {}
        self._why_not = ""
        self._hooked_fork = False

    def begin(self) -> Any:
        """A loop of the running context that counts from now on; None: there is one already, or there can be none."""
        tracker = self._started()
        if tracker is None:
            return None
        known = native().current()
        if known is not None and self._waiting.has(known):  # the request's: it ends with it
            tracker.begin(known)
            return None
        if known is not None and known.number:
            if known.number not in self._own:
                return None
            self.end(known)  # nobody has ended it: it ends where the next one begins
        loop = tracker.new()
        number = tracker.begin(loop)
        if not number:
            return None
        self._own[number] = None
        if len(self._own) > _MOST_OWN:
            del self._own[next(iter(self._own))]
        return loop

    def end(self, loop: Any) -> None:
        """The loop is over, unless it is."""
        if loop is not None and self.tracker is not None:
            self._own.pop(loop.number, None)
            self.tracker.end(loop)

    def off(self) -> None:
        """Track nothing any more; for tests, and for the end of the process."""
        tracker, self.tracker = self.tracker, None
        if tracker is not None:
            watchers.remove(self._waiting)
            tracker.stop()
        self._own.clear()
        self._why_not = ""

    def _started(self) -> Tracker | None:
        if self.tracker is not None or self._why_not:
            return self.tracker
        try:
            if native().running():  # the console's button: that run tells its own
                return None
            settings = Settings()
            self._log = LeakLog.of(settings)
            tracker = Tracker(self._tell)
            tracker.start()
        except (ImportError, RuntimeError, MemoryError, ValueError) as error:
            self._why_not = str(error) or type(error).__name__
            print(f"sonde: leaks are not tracked: {self._why_not}", file=sys.stderr)  # noqa: T201 - said once
            return None
        self.tracker = tracker
        watchers.add(self._waiting)
        if not self._hooked_fork:
            self._hooked_fork = True
            os.register_at_fork(after_in_child=self._after_fork)
        return tracker

    def _tell(self, told: Told) -> None:
        if self._log is not None:
            self._log.write(written(os.getpid(), told.loop, told.lines, told.growing))

    def _awaiting(self) -> Any:
        """A request has begun: a loop that does not count yet."""
        if self.tracker is None:
            return None
        loop = self.tracker.new()
        native().enter(loop)
        return loop

    def _ended(self, loop: Any, route: str) -> None:
        if self.tracker is not None:
            self.tracker.end(loop, route)

    def _after_fork(self) -> None:
        tracker, self.tracker = self.tracker, None
        if tracker is not None:
            watchers.remove(self._waiting)
            tracker.after_fork()
        self._own.clear()


_MOST_OWN = 10_000
marking = Marking()


class Tracked:
    """A loop that has begun: until the request's end, or that of a `with` block, or of each call of a function."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop = _begun()

    def __enter__(self) -> None:
        """It has begun already."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        loop, self._loop = self._loop, None
        _end(loop)

    async def __aenter__(self) -> None:
        """It has begun already."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Any) -> Any:
        """As a decorator: what has begun is not meant."""
        self.__exit__(None, None, None)
        return around(function)


def around(function: Any) -> Any:
    """`function`, each call of it a loop; a WSGI or ASGI application, each request of it."""
    asynchronous = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - whether that is a coroutine function
    )
    if not asynchronous:
        return _like(function, _around_plain(function))
    return _like(function, _around_coroutine(function))


def _like(function: Any, made: Any) -> Any:
    return (
        dressed(function, lambda _: made)
        if inspect.isfunction(function)
        else functools.update_wrapper(made, function, updated=())
    )


def _around_plain(function: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        loop = _begun()
        try:
            answer = function(*args, **kwargs)
        except BaseException:
            _end(loop)
            raise
        if loop is not None and _is_wsgi(args) and type(answer) not in {list, tuple}:
            return _Body(answer, loop)
        _end(loop)
        return answer

    return call


def _around_coroutine(function: Any) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], dict) and args[0].get("type") == "lifespan":
            return await function(*args, **kwargs)
        loop = _begun()
        try:
            return await function(*args, **kwargs)
        finally:
            _end(loop)

    return call


def _is_wsgi(args: tuple[Any, ...]) -> bool:
    return len(args) == 2 and isinstance(args[0], dict) and "wsgi.input" in args[0]


class _Body:
    """A WSGI answer: the loop ends when the server closes it."""

    def __init__(self, body: Any, loop: Any) -> None:
        self._body = body
        self._loop = loop

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            loop, self._loop = self._loop, None
            _end(loop)


def _begun() -> Any:
    try:
        return marking.begin()
    except Exception:
        fault("leaks.begin")
        return None


def _end(loop: Any) -> None:
    try:
        marking.end(loop)
    except Exception:
        fault("leaks.end")

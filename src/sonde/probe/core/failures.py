"""What a span keeps of an exception. Both implementations call this one.

Source lines are left out on purpose: reading them is file access in the middle of somebody's request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import ReferenceType, ref

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

MAX_FRAMES = 40
"""Frames kept of one traceback, the innermost ones."""

MAX_CHAIN = 4
"""Exceptions kept of a chain of causes."""

STACKTRACE_MAX_BYTES = 8192
"""Longer traces lose their beginning: the end says what happened."""

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


class Failure(NamedTuple):
    """The three attributes of OpenTelemetry's `exception` event."""

    type: str
    message: str
    stacktrace: str


def describe(error: BaseException) -> Failure:
    """`error` in words. Raises nothing, whatever the exception's own methods do."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return Failure(name, _message(error), _stacktrace(error))


_remembered: dict[int, tuple[ReferenceType[BaseException], str]] = {}
"""Errors that are still about, and what is to be said of them instead of their own words, by id."""


def remember(error: BaseException, message: str) -> None:
    """Whoever records `error` from now on says `message`: its own words have values in them that nobody may see."""
    key = id(error)
    try:
        _remembered[key] = ref(error, lambda _: _remembered.pop(key, None)), message
    except TypeError:  # of a kind that cannot be referred to weakly
        return


def _message(error: BaseException) -> str:
    known = _remembered.get(id(error))
    if known is not None and known[0]() is error:
        return known[1]
    facts = error.__dict__
    if "hide_parameters" in facts and isinstance(facts.get("orig"), BaseException):
        # SQLAlchemy's: its own words are the driver's, then the statement and its parameters.
        return f"({type(facts['orig']).__qualname__}) {_message(facts['orig'])}"
    try:
        return str(error)
    except Exception:  # `__str__` is the user's code; what it breaks is not ours to pass on
        return f"<unprintable {type(error).__qualname__}>"


def _stacktrace(error: BaseException) -> str:
    text = "".join(reversed(list(_chain(error))))
    data = text.encode("utf-8", "replace")
    if len(data) <= STACKTRACE_MAX_BYTES:
        return text
    return data[-STACKTRACE_MAX_BYTES:].decode("utf-8", "ignore")


def _chain(error: BaseException) -> Iterator[str]:
    """The last exception's text first, then what joins it to its cause, then the cause's text."""
    seen: set[int] = set()
    for _ in range(MAX_CHAIN):
        seen.add(id(error))
        yield _one(error)
        cause, joint = error.__cause__, _CAUSE
        if cause is None and not error.__suppress_context__:
            cause, joint = error.__context__, _CONTEXT
        if cause is None or id(cause) in seen:
            return
        yield joint
        error = cause


def _one(error: BaseException) -> str:
    frames = list(_frames(error.__traceback__))
    lines = ["Traceback (most recent call last):\n"] if frames else []
    if len(frames) > MAX_FRAMES:
        lines.append(f"  [{len(frames) - MAX_FRAMES} outer frames left out]\n")
    lines += frames[-MAX_FRAMES:]
    message = _message(error)
    lines.append(f"{type(error).__qualname__}: {message}\n" if message else f"{type(error).__qualname__}\n")
    return "".join(lines)


def _frames(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield f'  File "{code.co_filename}", line {traceback.tb_lineno}, in {code.co_qualname}\n'
        traceback = traceback.tb_next

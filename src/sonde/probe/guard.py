"""Where the probe's own faults end: counted by place, never seen by the application.

The user's call is never inside a guarded block. Usage is a plain `try`, which costs nothing while nothing fails:

    try:
        span = ...          # ours
    except Exception:
        fault("redis.execute_command")
"""

from __future__ import annotations

import sys

raised = False
"""True lets faults be seen: `fault` raises them again. Set from the setting `debug`, and by the probe's own tests."""


class Fault(tuple[int, str]):
    """What went wrong at one place: how often, and the last one's text. No NamedTuple: that would import typing."""

    __slots__ = ()

    @property
    def times(self) -> int:
        """How often."""
        return self[0]

    @property
    def last(self) -> str:
        """The last one's type and text."""
        return self[1]


_faults: dict[str, Fault] = {}


def fault(place: str) -> None:
    """Count the exception that is being handled, or raise it again where faults are to be seen.

    To be called in an `except` block. `place` is a constant of the source, so what is counted stays bounded.
    """
    error = sys.exception()
    times, _ = _faults.get(place, (0, ""))
    try:
        said = f"{type(error).__name__}: {error}"[:200]
    except Exception:
        said = "an exception that cannot be shown"  # the user's may fail at that, and be why we are here
    _faults[place] = Fault((times + 1, said))
    if raised and error is not None:
        raise error


def faults() -> dict[str, Fault]:
    """Faults since the start of the process, by place."""
    return dict(_faults)


def forget() -> None:
    """Start counting anew."""
    _faults.clear()

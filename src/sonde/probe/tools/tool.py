"""What a tool is: something that can be switched on and off while the process runs, and then says what it saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class ToolError(Exception):
    """A tool cannot do what was asked. `reason` is one of docs/debugger.md; the message says what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a caller may say. The default's type is the option's."""

    default: bool | int | float | str
    doc: str
    at_least: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """What a tool can do in this process, now."""

    available: bool = True
    why_not: str = ""
    unlock: str = ""
    """The one setting or package that would make it available."""
    exact: str = ""
    approximate: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a run made."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What a run says: `summary` is JSON of at most some hundred rows, `notes` are sentences."""

    summary: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)


class Tool(Protocol):
    """One tool. The host makes one object per run, calls `start`, then `stop` or `abort`, once, in the tool host's own
    thread, which is no thread of the application. What `start` has switched on, `stop` and `abort` switch off whole.
    """

    name: ClassVar[str]
    heavy: ClassVar[bool]
    """Only one of these runs at a time."""
    at_once: ClassVar[bool]
    """It needs no time: `start` is followed by `stop`."""
    options: ClassVar[Mapping[str, Option]]

    @classmethod
    def state(cls) -> State:
        """Cheap, and without a side effect."""
        ...

    def start(self, options: Mapping[str, Any], seconds: float) -> None:
        """Switch on; options are complete and checked. Raises ToolError, with nothing left on."""
        ...

    def progress(self) -> str:
        """One line for people."""
        ...

    def cpu_s(self) -> float:
        """CPU that the tool itself has used so far, where it can tell; else 0."""
        ...

    def stop(self) -> Result:
        """Switch off and say what was seen. Raises ToolError."""
        ...

    def abort(self) -> None:
        """Switch off."""
        ...

    def after_fork(self) -> None:
        """In a child: nothing may be left on, and no lock may be taken that a thread of the parent's held."""
        ...

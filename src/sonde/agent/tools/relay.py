"""Between who asks for a tool on a connection (`sonde debug`) and the runs: COMMAND frames in, REPLY and CHUNK out."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from sonde.wire import tools
from sonde.wire.frames import FrameError, Kind, frame
from sonde.wire.tools import ToolFrameError

if TYPE_CHECKING:
    from sonde.agent.receiving.outgoing import Outgoing
    from sonde.agent.tools.runs import Line, Runs

MAX_RUNS_OF_ONE = 8


class Operator:
    """One connection that gives commands. What it is told it has to read: of one that does not, little is kept."""

    def __init__(self, uid: int, runs: Runs, outgoing: Outgoing) -> None:
        self._uid = uid
        self._runs = runs
        self._outgoing = outgoing
        self._mine: set[str] = set()

    def command(self, payload: bytes) -> None:
        """What it asks for. Raises FrameError for what is no command."""
        command = _document(payload, tools.MAX_COMMAND_BYTES, "bad_command")
        run, todo, pid = command["id"], command.get("do"), command.get("pid", 0)
        if todo in {"stop", "abort"}:
            if run in self._mine:
                self._runs.end(run, todo)
            return
        if todo not in {"start", "tools", "processes"} or type(pid) is not int:
            raise FrameError("bad_command", "`do` is tools, start, stop, abort or processes, and `pid` a number")
        if todo == "processes":
            self._say({"id": run, "event": "processes", "items": self._runs.listed(self._uid)})
        elif len(self._mine) >= MAX_RUNS_OF_ONE:
            self._say(tools.failed(run, "busy", f"{MAX_RUNS_OF_ONE} runs of this connection are under way"))
        elif self._runs.begin(pid, command, partial(self._event, run), self._chunk, self._uid):
            self._mine.add(run)

    def left(self) -> None:
        """It has hung up: what runs for it alone is ended."""
        for run in list(self._mine):
            self._runs.forsake(run)

    def _event(self, run: str, event: dict[str, Any]) -> None:
        if event["event"] in tools.LAST_EVENTS:
            self._mine.discard(run)
        self._say(event)

    def _say(self, event: dict[str, Any]) -> None:
        self._outgoing.add(frame(Kind.REPLY, json.dumps(event, separators=(",", ":")).encode()))

    def _chunk(self, head: dict[str, Any], piece: bytes) -> None:
        payload = tools.chunk(head["id"], head["name"], head["offset"], piece)
        self._outgoing.add(frame(Kind.CHUNK, payload), partial(self._runs.taken, head["id"], len(piece)))


def replied(runs: Runs, line: Line, payload: bytes) -> None:
    """A REPLY of a process. Raises FrameError."""
    runs.event(line, _document(payload, tools.MAX_REPLY_BYTES, "bad_reply"))


def chunked(runs: Runs, line: Line, payload: bytes) -> None:
    """A CHUNK of a process. Raises FrameError."""
    try:
        head, piece = tools.cut(payload)
    except ToolFrameError as error:
        raise FrameError("bad_chunk", str(error)) from None
    runs.chunk(line, head, piece)


def _document(payload: bytes, most_bytes: int, reason: str) -> dict[str, Any]:
    try:
        return tools.document_of(payload, most_bytes)
    except ToolFrameError as error:
        raise FrameError(reason, str(error)) from None

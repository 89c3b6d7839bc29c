"""One run of a tool, from its start to its last word, in a thread of its own."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from time import monotonic
from typing import TYPE_CHECKING, Any

from sonde.probe.service import identity
from sonde.probe.tools import given, registry
from sonde.probe.tools.link import AgentGoneError
from sonde.probe.tools.registry import said
from sonde.probe.tools.tool import Artifact, ToolError
from sonde.wire import tools

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from sonde.probe.tools.governor import Governor
    from sonde.probe.tools.tool import Result, Tool

    class Listener(Protocol):
        """Who hears of a run."""

        def reply(self, event: dict[str, Any]) -> None:
            """How it goes."""
            ...

        def piece(self, run: str, name: str, offset: int, piece: memoryview) -> None:
            """A piece of what it made."""
            ...

        def listen(self, timeout_s: float) -> None:
            """Wait, at most so long, for who listens to say something."""
            ...


PROGRESS_EVERY_S = 1.0
MAX_NOTES = 50
RESULT_FORMAT = "sonde.result.v1"


class AbortedError(Exception):
    """Somebody wants the run to end, and nothing of it."""


class Run:
    """`command` is one of docs/debugger.md that begins a run. `work` is called once; `tell` by any thread."""

    def __init__(self, command: dict[str, Any], governor: Governor) -> None:
        self.id: str = command["id"]
        self.tool_name = str(command.get("tool", ""))[:64]
        self.outcome = ""
        """`result` or why not; empty while it runs."""
        self.began_ns = 0
        """By the clock of the wall; 0: no tool was started."""
        self.lasted_ns = 0
        self._command = command
        self._governor = governor
        self._how = ""
        self._why = ""
        self._tool: Tool | None = None  # while it is on

    def __str__(self) -> str:
        return self.id

    @property
    def is_on(self) -> bool:
        """Whether its tool is."""
        return self._tool is not None

    def tell(self, how: str, why: str = "the run was aborted; it has no result") -> None:
        """`stop` or `abort`. An abort is not taken back."""
        if self._how != "abort":
            self._why = why
            self._how = how

    def after_fork(self) -> None:
        """In a child: the tool is the parent's."""
        tool, self._tool = self._tool, None
        if tool is not None:
            tool.after_fork()

    def work(self, listener: Listener) -> None:
        """Do it, and say how it went. Raises what the listener raises; the tool is off by then, whatever happened."""
        try:
            last = self._last_event(listener)
            self.outcome = str(last.get("reason", last["event"]))
            listener.reply(last)
        except BaseException:
            self.outcome = "dropped"
            raise
        finally:
            self._governor.leave(self)

    def _last_event(self, listener: Listener) -> dict[str, Any]:
        try:
            self._governor.enter(self)
            if self._command.get("do") == "tools":
                return {"id": self.id, "event": "tools", "tools": registry.states(self._governor.running())}
            return self._run(listener)
        except ToolError as error:
            return tools.failed(self.id, error.reason, str(error))
        except AbortedError:
            return tools.failed(self.id, "aborted", self._why)
        except MemoryError:
            return tools.failed(self.id, "no_memory", f"{self.tool_name}: there was not enough memory for it")

    def _run(self, listener: Listener) -> dict[str, Any]:
        kind = registry.load(self._command.get("tool"))
        options = given.options(kind, self._command.get("options"))
        seconds = given.seconds(kind, self._command.get("seconds"), options)
        state = registry.state(kind)
        if not state.available:
            unlock = f"; what would help: {state.unlock}" if state.unlock else ""
            raise ToolError("unavailable", f"{kind.name}: {state.why_not}{unlock}")
        self._governor.admit(self, kind, options)
        self.began_ns, began = time.time_ns(), monotonic()
        try:
            result, note = self._switched_on(kind, options, seconds, listener)
        finally:
            self.lasted_ns = round((monotonic() - began) * 1e9)
        notes = [note, *result.notes] if note else list(result.notes)
        return self._sent(kind.name, result, notes, self.lasted_ns / 1e9, listener)

    def _switched_on(
        self, kind: type[Tool], options: dict[str, Any], seconds: float, listener: Listener
    ) -> tuple[Result, str]:
        """The tool's result, and why it was ended early, if we did it. The tool is off at the end."""
        try:
            tool = self._started(kind, options, seconds)
            facts = {"tool": kind.name, "pid": os.getpid(), "seconds": seconds}
            listener.reply({"id": self.id, "event": "started", **facts})
            note = self._wait(tool, seconds, listener)
            result = tool.stop()
            self._tool = None
            self._look()
        except (ToolError, AbortedError, AgentGoneError, MemoryError):
            raise
        except Exception as error:
            raise ToolError("error", f"{kind.name} failed: {said(error)}") from error
        else:
            return result, note
        finally:
            self._switch_off()

    def _started(self, kind: type[Tool], options: dict[str, Any], seconds: float) -> Tool:
        tool = self._tool = kind()
        if hasattr(tool, "run_id"):  # for one that marks what it writes
            tool.run_id = self.id
        try:
            tool.start(options, seconds)
        except ToolError:  # it has left nothing on
            self._tool = None
            raise
        return tool

    def _switch_off(self) -> None:
        """After a failure. What `abort` itself fails at cannot be mended from here, and hides not why we are here."""
        tool, self._tool = self._tool, None
        if tool is not None:
            with contextlib.suppress(Exception):
                tool.abort()

    def _wait(self, tool: Tool, seconds: float, listener: Listener) -> str:
        """Until its time is over, somebody ends it, or it has used too much."""
        began = monotonic()
        spoke = began
        while True:
            self._look()
            now = monotonic()
            left_s = began + seconds - now
            if left_s <= 0 or self._how:
                return ""
            if now - spoke >= PROGRESS_EVERY_S:
                spoke = now
                if note := self._governor.overspent(tool, now - began):
                    return note
                event = {"event": "progress", "seconds": round(now - began, 1), "of": seconds}
                listener.reply({"id": self.id, **event, "note": str(tool.progress())[: tools.MAX_TEXT]})
            listener.listen(min(left_s, spoke + PROGRESS_EVERY_S - now))

    def _look(self) -> None:
        if self._how == "abort":
            raise AbortedError

    def _sent(self, tool: str, result: Result, notes: list[str], seconds: float, listener: Listener) -> dict[str, Any]:
        """Send the artifacts; the last event says what they are."""
        notes = [str(note)[: tools.MAX_TEXT] for note in notes[:MAX_NOTES]]
        document = {
            "format": RESULT_FORMAT,
            "tool": tool,
            "pid": os.getpid(),
            "service": str(identity.resource.get("service.name", "")),
            "instance": str(identity.resource.get("service.instance.id", "")),
            "python": ".".join(map(str, sys.version_info[:3])),
            "started_at": _moment(self.began_ns),
            "seconds": round(seconds, 3),
            "notes": notes,
            "summary": result.summary,
        }
        artifacts = list(result.artifacts)
        if len(_json(document)) > tools.MAX_DOCUMENT_BYTES:
            artifacts.append(Artifact("summary.json", "application/json", _json(result.summary)))
            notes = [*notes, "The summary is too long for a table: see summary.json."]
            document |= {"summary": {}, "notes": notes}
        from hashlib import sha256  # brings OpenSSL, some megabytes: not for a run that is refused

        files = []
        for artifact in _named_once(artifacts):
            files.append(
                {
                    "name": artifact.name,
                    "media_type": artifact.media_type,
                    "bytes": len(artifact.content),
                    "sha256": sha256(artifact.content).hexdigest(),
                }
            )
            whole = memoryview(artifact.content)
            for offset in range(0, len(whole), tools.MAX_PIECE_BYTES):
                listener.piece(self.id, artifact.name, offset, whole[offset : offset + tools.MAX_PIECE_BYTES])
                self._look()
        return {"id": self.id, "event": "result", "document": document, "artifacts": files}


def _named_once(artifacts: Iterable[Artifact]) -> Iterable[Artifact]:
    seen: set[str] = set()
    for artifact in artifacts:
        if not tools.is_name(artifact.name) or artifact.name in seen:
            raise ToolError("error", f"the tool calls an artifact {artifact.name[:60]!r}: no file can be named so")
        seen.add(artifact.name)
        yield artifact


def _json(value: Any) -> bytes:
    """Raises ToolError for what JSON has no word for."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ToolError("error", f"the tool's summary is no JSON: {said(error)}") from error


def _moment(unix_ns: int) -> str:
    """RFC 3339, UTC."""
    seconds, ns = divmod(unix_ns, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{ns // 1_000_000:03d}Z"

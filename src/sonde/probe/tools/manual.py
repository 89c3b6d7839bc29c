"""`sonde.profile`: a tool around a block of the program's own, and what it found in the program's own hands.

    with sonde.profile("import of the catalogue", mode="wall") as run:
        import_catalogue()
    run.save("/tmp/profiles")

It is a run like any other, under the same governor: where another heavy tool runs, or the probe is off, the block runs
all the same, and `failure` says why there is no result. What there is goes to the agent as well, see handover.py.
"""

from __future__ import annotations

import json
import os
from time import monotonic
from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.tools.originals import original
from sonde.wire.tools import MAX_SECONDS, MAX_TEXT

if TYPE_CHECKING:
    from typing import Self

    from sonde.probe.tools.run import Run

STARTS_WITHIN_S = 2.0
OFF_WITHIN_S = 0.1
MAX_KEPT_BYTES = 64 << 20


class _Gate:
    """Opened once, by any thread. A plain lock: neither a framework's, nor one that knows who holds it."""

    def __init__(self) -> None:
        self._lock = original("_thread", "allocate_lock")()
        self._lock.acquire()

    def open(self) -> None:
        """Let everybody through."""
        if self._lock.locked():
            self._lock.release()

    def wait(self, timeout_s: float) -> bool:
        """False: it is still shut."""
        if not self._lock.acquire(timeout=max(0.0, timeout_s)):
            return False
        self._lock.release()
        return True


class Profile:
    """One run around one block. Nothing here raises because of us."""

    def __init__(self, name: str, tool: str, options: dict[str, Any]) -> None:
        self.name = name
        self.document: dict[str, Any] = {}
        """What was found, see docs/debugger.md; empty before the end, and where there is none."""
        self.files: dict[str, bytes] = {}
        self.failure = ""
        """Why there is no document."""
        self.tool = tool
        self.options = options
        self.result: dict[str, Any] | None = None
        """The event that ended it, where it has a document."""
        self._run: Run | None = None
        self._kept: dict[str, bytearray] = {}
        self._started = _Gate()
        self._stopping = _Gate()
        self._over = _Gate()

    # -- around the block ---------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        try:
            self._begin()
        except Exception as error:
            self._end(f"{type(error).__name__}: {error}")
            fault("tools.profile")
        return self

    def __exit__(self, *_: object) -> None:
        run = self._run
        if run is not None:
            run.tell("stop")
            self._stopping.open()
            # What follows the block is not the block: but nobody is held up for long by us.
            sleep, until = original("time", "sleep"), monotonic() + OFF_WITHIN_S
            while run.is_on and monotonic() < until:
                sleep(0.001)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    # -- after it -----------------------------------------------------------------------------------------------------
    def wait(self, timeout_s: float = 30.0) -> bool:
        """Until the result is there: it is put together after the block. False where there is none by then."""
        return self._over.wait(timeout_s) and bool(self.document)

    def save(self, folder: str, timeout_s: float = 30.0) -> list[str]:
        """Write `document.json` and the files there, for this user alone; their paths. Raises OSError."""
        if not self.wait(timeout_s):
            return []
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - the probe imports no pathlib
        paths = []
        for name, content in {"document.json": json.dumps(self.document).encode(), **self.files}.items():
            paths.append(f"{folder}/{name}")
            handle = os.open(paths[-1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        return paths

    # -- what the run says, in its thread -----------------------------------------------------------------------------
    def reply(self, event: dict[str, Any]) -> None:
        """An event of the run."""
        if event["event"] == "started":
            self._started.open()
        elif event["event"] == "failed":
            self._end(f"{event['reason']}: {event['message']}"[:MAX_TEXT])
        elif event["event"] == "result":
            self.files = {name: bytes(content) for name, content in self._kept.items()}
            self.document, self.result = event["document"], dict(event)
            self._end("")

    def piece(self, run: str, name: str, offset: int, piece: memoryview) -> None:  # noqa: ARG002 - a listener's
        """Of a file."""
        if sum(map(len, self._kept.values())) + len(piece) > MAX_KEPT_BYTES:
            raise MemoryError
        self._kept.setdefault(name, bytearray()).extend(piece)

    def listen(self, timeout_s: float) -> None:
        """Until the block is over."""
        self._stopping.wait(timeout_s)

    def ended(self) -> None:
        """The run's thread is over, whatever it has said."""
        self._end(self.failure or ("" if self.document else "gone: the run was ended"))

    # -- inside -------------------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        from sonde.probe.start import probe
        from sonde.probe.tools.host import host

        if not probe.is_on:
            self._end("unavailable: the probe is off")
            return
        command = {"id": os.urandom(16).hex(), "do": "start", "tool": self.tool, "options": self.options}
        self._run = host.begin({**command, "seconds": MAX_SECONDS}, self)
        self._started.wait(STARTS_WITHIN_S)

    def _end(self, failure: str) -> None:
        self.failure = failure
        self._kept = {}
        self._started.open()
        self._over.open()


def profile(name: str, /, tool: str = "cpu", **options: Any) -> Profile:
    """Run a tool of the debugger around a block: `with sonde.profile("import", mode="wall") as run`, or `async with`.

    `tool` is `cpu` or another one that runs for a while, `options` are that tool's. Afterwards `run.save(folder)`
    writes what was found; `run.wait()`, `run.document` and `run.files` give it to the program.
    """
    return Profile(name, tool, options)

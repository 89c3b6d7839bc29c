"""Server -> what probes are told: one thread that asks for each app, at each interval. The server being away costs
nothing but news: what was last said stays.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Self

from sonde.agent.forwarding import answer
from sonde.agent.forwarding.answer import Verdict
from sonde.agent.forwarding.server_connection import UnreachableError
from sonde.wire.frames import MAX_SETTINGS_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.agent.counters import Counters
    from sonde.agent.forwarding.server_connection import Reply, ServerConnection
    from sonde.agent.receiving.probe_settings import ProbeSettings

log = logging.getLogger(__name__)

PATH = "/api/v1/probe-settings"
REFUSED_PAUSE_S = 60.0
"""Before a token is tried again that the server does not know; it may be a collector of another make, too."""
MIN_PAUSE_S = 0.05
"""Between any two questions: a host with many apps, or with a probe that makes tokens up, asks for longer, not more."""
STOP_S = 0.5


class SettingsAsker:
    """Asks until it is left."""

    def __init__(
        self,
        server: ServerConnection,
        settings: ProbeSettings,
        *,
        interval_s: float,
        counters: Counters,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._server = server
        self._settings = settings
        self._interval_s = interval_s
        self._counters = counters
        self._jitter = jitter
        self._due: dict[str, float] = {}  # token -> monotonic time of its next question
        self._silent_until = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sonde-settings", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._settings.wake()
        self._server.abort()
        self._thread.join(STOP_S)  # a connection that is only being made cannot be aborted: it is left behind

    def _run(self) -> None:
        while not self._stopping.is_set():
            now = time.monotonic()
            tokens = self._settings.tokens()
            # A token stays until it is due, even when its last probe has left: that may come again and again.
            self._due = {token: due for token, due in self._due.items() if token in tokens or due > now}
            for token in tokens:
                self._due.setdefault(token, now)
            if not tokens:
                self._settings.wait(None)
                continue
            first = min(tokens, key=self._due.__getitem__)
            pause_s = max(self._due[first], self._silent_until) - now
            if pause_s > 0:
                self._settings.wait(pause_s)
            else:
                self._due[first] = now + self._ask(first)
                self._silent_until = max(self._silent_until, time.monotonic() + MIN_PAUSE_S)
        self._server.close()

    def _pause_s(self) -> float:
        """The interval, give or take a tenth: a thousand agents do not ask in one second."""
        return self._interval_s * (0.9 + self._jitter() / 5)

    def _ask(self, token: str) -> float:
        """Ask once. Returns seconds until this token's next question."""
        etag = self._settings.etag(token)
        headers = {"If-None-Match": etag} if etag else {}
        try:
            reply = self._server.exchange("GET", PATH, token, headers, max_answer_bytes=MAX_SETTINGS_BYTES + 1)
        except UnreachableError as error:
            return self._missed(error.reason, f"the server cannot be reached: {error}", self._pause_s())
        if reply.status == 200:
            self._learn(token, reply)
        elif reply.status != 304:
            return self._refused(reply)
        return self._pause_s()

    def _learn(self, token: str, reply: Reply) -> None:
        try:
            _check(reply.body)
        except ValueError as error:
            self._counters.add("sonde.agent.settings.errors", reason="bad_document")
            log.warning("the server says to probes what no probe can read: %s", error)
            return
        self._counters.add("sonde.agent.settings.received")
        self._settings.learned(token, reply.body, reply.headers.get("ETag", ""))

    def _refused(self, reply: Reply) -> float:
        said = answer.of_status(reply.status, reply.headers.get("Retry-After"), reply.body, time.time())
        if said.verdict is Verdict.MISCONFIGURED:
            self._counters.add("sonde.agent.settings.errors", reason=said.reason)
            log.debug("no settings for probes: %s", said.message)  # the forwarder says it aloud
            return max(REFUSED_PAUSE_S, self._pause_s())
        return self._missed(said.reason, said.message, max(said.retry_after_s or 0, self._pause_s()))

    def _missed(self, reason: str, message: str, pause_s: float) -> float:
        """Nothing came, and nothing would come under another token now."""
        self._counters.add("sonde.agent.settings.errors", reason=reason)
        log.debug("no settings for probes: %s", message)
        self._silent_until = time.monotonic() + pause_s
        return pause_s


def _check(document: bytes) -> None:
    """Raises ValueError where probes could not read it. What stands in it is theirs to judge: they may be newer."""
    if len(document) > MAX_SETTINGS_BYTES:
        raise ValueError(f"more than {MAX_SETTINGS_BYTES} bytes")
    try:
        services = json.loads(document)["services"]
    except (ValueError, RecursionError, LookupError, TypeError):
        services = None
    if not isinstance(services, dict):
        raise ValueError("not a JSON object with services")  # noqa: TRY004 - of what came over the wire

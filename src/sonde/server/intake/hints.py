"""What a person must know of senders that are refused: "an agent of app 3 signs with a wrong secret".

A sender that is refused often says so nowhere that anybody looks. Each intake notes it here; the console shows it on
the page "Connect an application", with what to do.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sonde.server.spool.spool import Sample

MOST_SUBJECTS = 1000
LONGEST_SUBJECT, LONGEST_TEXT = 200, 500
"""Characters; both may hold what strangers sent."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing that goes wrong with one sender."""

    protocol: str
    """`otlp_http`, `otlp_grpc`, `skywalking`, `xtransit`."""
    reason: str
    """A word for programs, as in the counters of refusals."""
    subject: str
    """Who: an address, a service, an agent."""
    text: str
    """What happened and what to do, for people, in English. The newest, where it changed."""
    app: str
    """Id of the app it is about; empty where the sender could not say."""
    count: int
    first_seen: datetime
    last_seen: datetime
    code: str = ""
    """Which sentence `text` is, for those who say it in another language."""
    values: dict[str, str] = field(default_factory=dict)
    """What stands in that sentence."""


class Hints:
    """At most MOST_SUBJECTS, the least recent goes. Any thread may note and ask."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._hints: OrderedDict[tuple[str, str, str, str], Hint] = OrderedDict()
        self._noted: Counter[tuple[str, str]] = Counter()

    def note(
        self, protocol: str, reason: str, subject: str, text: str, app: str = "", *, code: str = "", **values: object
    ) -> None:
        """Once more. `protocol`, `reason` and `code` are words of ours, so there are few; the rest may be anything."""
        subject, text = subject[:LONGEST_SUBJECT], text[:LONGEST_TEXT]
        said = {name: str(value)[:LONGEST_TEXT] for name, value in values.items()}
        key = protocol, reason, subject, app
        at = self._now()
        with self._lock:
            self._noted[protocol, reason] += 1
            known = self._hints.pop(key, None) or Hint(protocol, reason, subject, text, app, 0, at, at)
            self._hints[key] = replace(known, text=text, count=known.count + 1, last_seen=at, code=code, values=said)
            if len(self._hints) > MOST_SUBJECTS:
                self._hints.popitem(last=False)

    def seen_by(self, apps: Sequence[str] | None) -> list[Hint]:
        """Newest first. `apps`: those that the asker may see; None: all, and what belongs to none."""
        with self._lock:
            hints = list(reversed(self._hints.values()))
        return [hint for hint in hints if apps is None or hint.app in apps]

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        with self._lock:
            noted = list(self._noted.items())
        for (protocol, reason), count in noted:
            yield "sonde_connect_hints_total", {"protocol": protocol, "reason": reason}, count

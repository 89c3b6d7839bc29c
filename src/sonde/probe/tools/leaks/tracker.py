"""Loops of this process: their begin and end, and what is said of each once the next one has ended.

The first loop is never judged. What a loop leaves and the next one frees is no leak of either. A loop's tasks, and
whatever else works in its context, are waited for, within bounds.
"""

from __future__ import annotations

import _thread
import gc
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sonde.probe.guard import fault
from sonde.probe.tools.leaks.confirm import REUSED, Confirmation, made_at
from sonde.probe.tools.leaks.ledger import LEAST_LOOPS, Ledger, Place
from sonde.probe.tools.leaks.library import beginnings, is_library
from sonde.probe.tools.leaks.lines import Growing, Line
from sonde.probe.tools.leaks.memory import Resident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sonde.probe.tools._leaks import Loop
    from sonde.probe.tools.leaks.ledger import Account

WAITS_S = 5.0
"""The longest that a loop's tasks are waited for,"""
WAITS_LOOPS = 32
"""and the most loops that may end meanwhile."""
MOST_BLOCKS = 1 << 20
MOST_OPEN = 10_000
_FULL_EVERY_S = 5.0
_FULL_SHARE = 100
"""A full collection waits so many times as long as the last one took."""
_LAST_WORDS_S = 1.0
_FEW = 16
_FROZEN_BY_ITSELF = 1000
"""3.12 begins with some hundred frozen objects; an application that freezes has thousands, the smallest one too."""


class Told(NamedTuple):
    """What is said of one loop."""

    loop: int
    route: str
    lines: list[Line]
    growing: list[Growing]


class _Ended:
    """A loop that has ended and is not judged."""

    __slots__ = ("at", "ended_before", "growing", "last_begun", "over", "route")

    def __init__(self, route: str, last_begun: int, ended_before: int, at: float, growing: list[Growing]) -> None:
        self.route, self.last_begun, self.ended_before, self.at = route, last_begun, ended_before, at
        self.growing = growing
        self.over = False


def native() -> Any:
    """The C part. Raises ImportError where it was not built, or cannot be here."""
    from sonde.probe.tools import _leaks

    return _leaks


class Tracker:
    """One at a time in a process. `told` hears of each judged loop, in the thread that ended the loop after it."""

    def __init__(
        self, told: Callable[[Told], None] | None = None, *, most_blocks: int = MOST_BLOCKS, confirm: bool = True
    ) -> None:
        self._native = native()
        self._told = told
        self._most_blocks = most_blocks
        self._confirm = confirm
        self._lock = _thread.allocate_lock()
        self._open: dict[int, str] = {}
        self._overlapping: set[int] = set()
        self._ended: dict[int, _Ended] = {}
        self._last_begun = self._last_ended = self._ended_count = 0
        self._latest_end_of = 0
        self._full_at = self._full_took = 0.0
        self._types_at = self._types_took = 0.0
        self.on = False
        self.exact = False
        self.freezes = False
        self.ledger = Ledger()
        self.confirmation = Confirmation()
        self.resident = Resident()
        self.routes: dict[int, str] = {}
        self.first_judged = self.last_judged = self.judged_count = 0
        self.gave_up_waiting = 0
        self.growing: dict[str, tuple[int, Growing]] = {}
        """By place: the last loop that allocated more there than the one before, for the fifth time and more."""
        self._places: dict[int, tuple[Place, tuple[str, int] | None]] = {}
        self.cpu_s = 0.0

    # -- on and off --

    def start(self) -> None:
        """Set the hooks. Raises RuntimeError, MemoryError."""
        self.exact = self._native.start(beginnings(), self._most_blocks, True)
        self.on = True
        self._know_types()
        self._full_at = time.monotonic()

    def stop(self) -> bool:
        """Take them away. False: somebody else's are above them, and ours stay, doing nothing."""
        self.on = False
        self.confirmation.end()
        return bool(self._native.stop())

    def after_fork(self) -> None:
        """In a child: the loops are the parent's."""
        self._lock = _thread.allocate_lock()
        self.stop()

    # -- loops --

    def new(self) -> Loop:
        """A loop that does not count yet."""
        made: Loop = self._native.Loop()
        return made

    def begin(self, loop: Loop, route: str = "") -> int:
        """The loop counts from now on; the running context works for it. 0: there are too many."""
        if not self.on or len(self._open) >= MOST_OPEN:
            return 0
        if not self.exact:
            self._empty_free_lists()
        number = int(loop.begin())
        if not number:
            return 0
        if self._open:
            self._overlapping.update(self._open, (number,))
        self._open[number] = route
        self._last_begun = number
        self._native.enter(loop)
        return number

    def end(self, loop: Loop, route: str = "") -> None:
        """What the loop allocates from now on is its tasks'. Judges what can be judged."""
        self._native.leave(loop)  # before anything of ours is made
        number = loop.number
        if not number or number not in self._open or not self.on:
            return
        began = time.thread_time()
        del loop
        if gc.isenabled():
            self._collect()
        self._native.release(False)
        if not self.exact:
            self._empty_free_lists()
        self._close(number, self._open.pop(number, "") or route)
        self.judge()
        self.cpu_s += time.thread_time() - began

    def judge(self) -> None:
        """Every loop whose time has come. Another thread may be at it: then it is left to that one, or the next."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._settle()
            for number in sorted(self._ended):
                if self.on and self._is_due(self._ended[number]):
                    self._judge(number, self._ended.pop(number))
        finally:
            self._lock.release()

    def finish(self) -> None:
        """No loop follows: judge what is left, but for the last, and put down what was freed since."""
        deadline = time.monotonic() + _LAST_WORDS_S
        while self._ended and time.monotonic() < deadline:
            self.judge()
            if all(self._latest_end_of <= ended.last_begun for ended in self._ended.values()):
                break
            time.sleep(0.01)  # for tasks of theirs, or a thread that judges just now
        if self._lock.acquire(timeout=_LAST_WORDS_S):
            try:
                for number in sorted(self._ended):
                    if self._latest_end_of > self._ended[number].last_begun:
                        self._judge(number, self._ended.pop(number))
                self.confirmation.end()
                self._native.release(True)
                _forget_names()
                self._native.bury()
                self._note_changes(self.last_judged)
                self._correct()
                self.ledger.join()
            finally:
                self._lock.release()

    def figures(self) -> dict[str, Any]:
        """Of the native part."""
        found: dict[str, Any] = self._native.figures()
        return found

    # -- inside --

    def _close(self, number: int, route: str) -> None:
        alone = number not in self._overlapping
        self._overlapping.discard(number)
        growing = [Growing(self._text(site), times, size) for site, times, size in self._native.closed(number, alone)]
        self._ended[number] = _Ended(route, self._last_begun, self._ended_count, time.monotonic(), growing)
        self._ended_count += 1
        self._latest_end_of = max(self._latest_end_of, number)

    def _settle(self) -> None:
        """Loops whose contexts have gone: a task that is done, a thread that has ended."""
        for number in self._native.over():
            if number in self._open:  # nobody ended it: it was over with its context
                self._close(number, self._open.pop(number))
            if number in self._ended:
                self._ended[number].over = True

    def _is_due(self, ended: _Ended) -> bool:
        if self._latest_end_of <= ended.last_begun:  # none that began after it has ended
            return False
        return (
            ended.over or time.monotonic() - ended.at > WAITS_S or self._ended_count - ended.ended_before > WAITS_LOOPS
        )

    def _judge(self, number: int, ended: _Ended) -> None:
        if not ended.over:
            self._native.expire(number)
            self.gave_up_waiting += 1
        wants = self.confirmation.wants(number)
        survivors, events, unknown = self._native.judged(number, made_at if wants else None)
        if unknown and (self.judged_count < _FEW or time.monotonic() - self._types_at > self._types_took * _FULL_SHARE):
            self._know_types()
        first = not self.judged_count
        self.judged_count += 1
        if first:  # its memory is known, and it is not judged
            self.first_judged = number
            self._note_changes(number)
            return
        self.last_judged = number
        self.routes[number] = ended.route
        if len(self.routes) > _MOST_ROUTED:
            del self.routes[next(iter(self.routes))]
        kinds = self._note_changes(number)
        if wants:
            for group, site, _, seen in survivors:
                kind = kinds.get(group, "")
                if kind in REUSED:
                    self.confirmation.note(number, self._place(seen, kind), self._place(site, kind))
        if self.confirmation.judged(number):
            self._correct()
        for one in ended.growing:
            self.growing[one.place] = (number, one)
        if self._told is not None:
            lines = self._lines(survivors, events)
            try:
                self._told(Told(number, ended.route, lines, ended.growing))
            except Exception:
                fault("leaks.told")

    def _note_changes(self, number: int) -> dict[int, str]:
        """Put down what changed. Returns kinds by group."""
        kinds = {}
        for group, site, kind, size, blocks in self._native.changed():
            kinds[group] = kind
            known = self._places.get(group)
            if known is None:
                file, line, inner_file, inner_line = self._native.site(site)
                via = (inner_file, inner_line) if (inner_file, inner_line) != (file, line) and inner_file else None
                known = self._places[group] = (Place(file or "?", line, kind), via)
            account = self.ledger.note(number, group, *known, size, blocks)
            if account is not None and kind in REUSED and not self.exact:
                self._consider(account)
        self.resident.note(number, self.ledger.size, time.monotonic())
        return kinds

    def _consider(self, account: Account) -> None:
        """It seems to grow, and its line may be another one's."""
        account.approximate = account.place not in self.ledger.confirmed
        if self._confirm and account.rises > LEAST_LOOPS and account.blocks == account.most_blocks:
            self.confirmation.begin(self._last_begun)

    def _correct(self) -> None:
        """Whose objects live on of those that were looked at: theirs is the memory, whoever it was put down to."""
        spreads = self._native.spread(self.confirmation.bounds)

        def live(place: Place) -> int:
            account = self.ledger.accounts.get(place)
            return sum(spreads[group][0][0] for group in account.groups if group in spreads) if account else 0

        for seen, others in list(self.confirmation.others()):
            kept = [place for place in others if live(place) > 1 and not is_library(place.file)]
            if not kept:
                continue
            self.ledger.confirmed.update(kept)
            if live(seen):
                self.ledger.shared.setdefault(seen, set()).update(kept)
            else:
                self.ledger.shared.setdefault(kept[0], set()).update(kept[1:])
                self.ledger.move(seen, kept[0])

    def _lines(
        self, survivors: Iterable[tuple[int, int, int, int]], events: Iterable[tuple[int, int, int, int]]
    ) -> list[Line]:
        """By line of code; those of events are told apart, since they are of earlier loops."""
        kept: dict[str, int] = {}
        for group, _, size, _ in survivors:
            known = self._places.get(group)
            place = str(self.ledger.moved(known[0])) if known is not None else "?"
            kept[place] = kept.get(place, 0) + size
        changed: dict[str, dict[tuple[int, str], int]] = {}
        for site, loop, earlier, size in events:
            of = changed.setdefault(self._text(site), {})
            key = (loop, self._text(earlier))
            of[key] = of.get(key, 0) + size
        lines: list[Line] = []
        for by, of in changed.items():
            total = sum(of.values())
            if total > 0:
                kept[by] = kept.get(by, 0) + total
            elif total:
                earlier_ones = tuple((loop, text, -size) for (loop, text), size in of.items() if size < 0)
                lines.append(Line(by, total, earlier_ones[:_MOST_EARLIER]))
        return [*(Line(place, size) for place, size in kept.items() if size), *lines]

    def _place(self, site: int, kind: str) -> Place:
        file, line, _, _ = self._native.site(site)
        return Place(file or "?", line, kind)

    def _text(self, site: int) -> str:
        file, line, _, _ = self._native.site(site)
        return f"{file}:{line}" if file else "?"

    # -- the collector --

    def _collect(self) -> None:
        """Young garbage, before it is taken for kept memory. All of it now and then: what becomes garbage after its
        loop has ended is old by then, and with collections of ours the interpreter's own become rare.
        """
        now = time.monotonic()
        if now - self._full_at < max(_FULL_EVERY_S, self._full_took * _FULL_SHARE):
            gc.collect(1)
            return
        gc.collect()
        _forget_names()
        self._full_at = time.monotonic()
        self._full_took = self._full_at - now

    def _empty_free_lists(self) -> None:
        """Of the interpreter: what a loop makes of dead objects shall be made of its own, and nobody after it of the
        loop's. All objects are frozen for that moment, so the collection finds none; where the application has frozen
        some, nothing is touched.
        """
        self.freezes = gc.get_freeze_count() < _FROZEN_BY_ITSELF
        if self.freezes:
            gc.freeze()
            try:
                gc.collect()
            finally:
                gc.unfreeze()

    def _know_types(self) -> None:
        """For versions whose interpreter does not say of which type an object is made."""
        if not self.exact:
            began = time.monotonic()
            self._native.known(_types())
            self._types_at = time.monotonic()
            self._types_took = self._types_at - began


def _forget_names() -> None:
    """The interpreter's cache of attributes of types keeps up to 4096 names alive, and C code that looks for one often
    makes it anew: datetime's does, at each look for a zone's `dst`. Nobody is said to hold them, and each lives in a
    place of its own until another one comes there.
    """
    forget = getattr(sys, "_clear_type_cache", None)
    if forget is not None:
        forget()


_MOST_ROUTED = 100_000
_MOST_EARLIER = 100


def _types() -> list[type]:
    found: set[type] = {object}
    todo: list[type] = [object]
    while todo:
        subclasses: list[type] = type.__subclasses__(todo.pop())
        for kind in subclasses:
            if kind not in found:
                found.add(kind)
                todo.append(kind)
    return list(found)

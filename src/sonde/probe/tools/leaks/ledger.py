"""What each line keeps, loop after loop, and whether that is a leak."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOWS = 4
"""The time of a run is judged in so many equal parts."""
LEAST_LOOPS = 3
"""Memory of so many later loops has to live before a line is called a leak."""
MOST_POINTS = 400
MOST_PLACES = 20_000


class Place(NamedTuple):
    """A line of code and the type of what it makes; empty: memory that is no object."""

    file: str
    line: int
    kind: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else "?"


class Point(NamedTuple):
    """What lived after a loop was judged."""

    loop: int
    size: int
    blocks: int


@dataclass(slots=True)
class Account:
    """All that one place keeps. `groups`: the native part's, with (bytes, blocks) that live of each."""

    place: Place
    via: tuple[str, int] | None = None
    """Where in a library it was allocated, on behalf of the place."""
    groups: dict[int, tuple[int, int]] = field(default_factory=dict)
    size: int = 0
    blocks: int = 0
    rises: int = 0
    most_blocks: int = 0
    series: list[Point] = field(default_factory=list)
    approximate: bool = False
    """The interpreter re-uses dead objects of this type, so the line may be another one's."""

    def note(self, loop: int, group: int, size: int, blocks: int) -> None:
        """What lives of one of its groups."""
        old_size, old_blocks = self.groups.get(group, (0, 0))
        self.groups[group] = (size, blocks)
        self.size += size - old_size
        self.blocks += blocks - old_blocks
        if self.blocks > self.most_blocks:
            self.most_blocks = self.blocks
            self.rises += not self.series or self.series[-1].loop != loop
        if self.series and self.series[-1].loop == loop:
            self.series.pop()
        self.series.append(Point(loop, self.size, self.blocks))
        if len(self.series) > MOST_POINTS:
            self.series = self.series[:1] + self.series[1::2]

    def at(self, loop: int) -> Point:
        """What lived when the loop was judged."""
        found = Point(0, 0, 0)
        for point in self.series:
            if point.loop > loop:
                break
            found = point
        return found


class Spread(NamedTuple):
    """How what lives at the end is spread over the windows it was made in."""

    blocks: tuple[int, ...]
    sizes: tuple[int, ...]
    loops: int
    """Distinct ones, counted up to 4."""


class Verdict(NamedTuple):
    """A word, and the sentence that explains it."""

    word: str
    """`leak`, `warm-up` (it stopped), `bounded` (held by something that says how much it takes), `unsure`."""
    why: str


class Ledger:
    """The accounts of a run. Loops are told in the order they are judged."""

    def __init__(self) -> None:
        self.accounts: dict[Place, Account] = {}
        self.size = 0
        """Bytes that live of all."""
        self.beyond = 0
        """Places there was no room for."""
        self.confirmed: set[Place] = set()
        """Lines that were found for objects made of dead ones."""
        self.shared: dict[Place, set[Place]] = {}
        """Places that others were taken for one with, until they were told apart."""
        self._of_group: dict[int, Account] = {}
        self._moved: dict[Place, Place] = {}

    def note(
        self, loop: int, group: int, place: Place, via: tuple[str, int] | None, size: int, blocks: int
    ) -> Account | None:
        """So much of a group lives. None: there is no room for its place."""
        account = self._of_group.get(group)
        if account is None:
            place = self._moved.get(place, place)
            account = self.accounts.get(place)
            if account is None:
                if len(self.accounts) >= MOST_PLACES:
                    self.beyond += 1
                    return None
                account = self.accounts[place] = Account(place, via)
            self._of_group[group] = account
        before = account.size
        account.note(loop, group, size, blocks)
        self.size += account.size - before
        return account

    def move(self, wrong: Place, right: Place) -> None:
        """What was thought to be of one line is of another."""
        account = self.accounts.pop(wrong, None)
        if account is None or wrong == right:
            return
        self._moved[wrong] = right
        target = self.accounts.setdefault(right, Account(right, account.via))
        loops = sorted({point.loop for point in target.series} | {point.loop for point in account.series})
        both = [(loop, target.at(loop), account.at(loop)) for loop in loops]
        target.series = [Point(loop, one.size + two.size, one.blocks + two.blocks) for loop, one, two in both]
        for group, (size, blocks) in account.groups.items():
            target.groups[group] = (size, blocks)
            target.size += size
            target.blocks += blocks
            self._of_group[group] = target

    def join(self) -> None:
        """What a library kept before the application's line was looked for belongs to the line that was found."""
        found: dict[tuple[str, int, str], Account] = {}
        for account in self.accounts.values():
            if account.via is not None:
                key = (*account.via, account.place.kind)
                if key not in found or account.blocks > found[key].blocks:
                    found[key] = account
        for place in list(self.accounts):
            if (deep := found.get((place.file, place.line, place.kind))) is not None:
                self.move(place, deep.place)

    def moved(self, place: Place) -> Place:
        """Where a place's memory is put down."""
        return self._moved.get(place, place)


def windows(first: int, last: int) -> list[int]:
    """Bounds of equal windows over the loops from `first` to `last`."""
    count = last - first + 1
    return [first + count * at // WINDOWS for at in range(WINDOWS)] + [last + 1]


def spread_of(account: Account, spreads: Mapping[int, tuple[tuple[int, ...], tuple[int, ...], int]]) -> Spread:
    """Of all its groups together."""
    found = [spreads[group] for group in account.groups if group in spreads]
    if not found:
        return Spread((0,) * WINDOWS, (0,) * WINDOWS, 0)
    return Spread(
        tuple(sum(one[0][at] for one in found) for at in range(WINDOWS)),
        tuple(sum(one[1][at] for one in found) for at in range(WINDOWS)),
        min(4, max(sum(one[2] for one in found), 0)),
    )


def judge(account: Account, spread: Spread, bounds: list[int]) -> Verdict:
    """Whether what is kept grows on and on. `bounds`: of the windows, as loops were numbered."""
    if account.size <= 0:
        return Verdict("warm-up", "nothing of it lives any more")
    if bounds[-1] - bounds[0] < LEAST_LOOPS + 1:
        return Verdict("unsure", f"{bounds[-1] - bounds[0]} loops are too few to tell")
    if spread.loops >= LEAST_LOOPS:
        return _by_blocks(account, spread, bounds)
    return _by_growth(account, bounds)


def _by_blocks(account: Account, spread: Spread, bounds: list[int]) -> Verdict:
    later = spread.blocks[1:]
    if not spread.blocks[-1]:
        return Verdict("warm-up", "later loops kept nothing more")
    if min(later) * 4 < max(spread.blocks):
        return Verdict("warm-up", "what lives was made mostly in one part of the run: it comes and goes, or has ended")
    if min(later[1:]) * 2 < max(spread.blocks[:2]):
        return Verdict("unsure", "it becomes more, ever slower: a longer run tells")
    grown = account.blocks - account.at(bounds[-2] - 1).blocks
    if grown * 5 < spread.blocks[-1] * 2:
        return Verdict("warm-up", "as much of it goes as comes")
    return Verdict("leak", "memory of later and later loops lives, and it becomes more")


def _by_growth(account: Account, bounds: list[int]) -> Verdict:
    """Few blocks that become larger: a list's, a dict's."""
    ends = [account.at(bound - 1).size for bound in bounds]
    rises = [after - before for before, after in pairwise(ends)]
    most, times = 0, 0
    for point in account.series:
        if point.loop > bounds[0] and point.size > most:
            times += 1
        most = max(most, point.size)
    if times < LEAST_LOOPS:
        return Verdict("warm-up", "it grew no more than twice")
    if account.size * 10 < most * 9 or rises[-1] <= 0 or rises[-2] <= 0 or sum(rises[2:]) * 2 < sum(rises[:2]):
        return Verdict("warm-up", "it has stopped growing")
    return Verdict("leak", "it grows on and on")

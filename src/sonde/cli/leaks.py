"""`sonde leaks analyze [FILE]` and `sonde leaks clean [FILE]`: the log that `sonde.track_leaks` writes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sonde.cli import CommandError
from sonde.probe.tools.leaks.lines import Read, read
from sonde.probe.tools.leaks.log import clean, path_of, rotated
from sonde.settings import LEAK_LOG, Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

_LEAST_LOOPS = 3
_ROWS = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    analyze = actions.add_parser("analyze", help="Which lines keep memory, in all processes together.")
    analyze.add_argument("file", nargs="?", metavar="FILE", help="The log. Default: the setting leak_log.")
    analyze.add_argument("--all", action="store_true", help="Also lines that keep nothing, or have stopped.")
    cleaning = actions.add_parser("clean", help="Remove the log.")
    cleaning.add_argument("file", nargs="?", metavar="FILE", help="The log. Default: the setting leak_log.")


def run(arguments: argparse.Namespace) -> int:
    """0: done; of `analyze`, 1: there are leaks."""
    path = path_of(Settings({LEAK_LOG.name: arguments.file}))
    if arguments.action == "clean":
        try:
            print(f"{path}: {clean(path):,} bytes removed")
        except OSError as error:
            raise CommandError(f"{path} cannot be removed: {error}") from None
        return 0
    findings = Findings()
    for each in (rotated(path), path):
        try:
            with each.open(encoding="utf-8", errors="surrogateescape") as opened:
                findings.add(read(opened))
        except FileNotFoundError:
            if each == path:
                raise CommandError(
                    f"{path}: there is no such log; sonde.track_leaks() writes it, see docs/tools/leaks.md"
                ) from None
        except OSError as error:
            raise CommandError(f"{each} cannot be read: {error}") from None
    for line in findings.page(everything=arguments.all):
        print(line)
    return 1 if any(place.verdict == "leak" for place in findings.places()) else 0


class _Place:
    """A line of code, over all processes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kept: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        """pid → loop → bytes that it left and that live, as far as the log says."""
        self.times = 0
        self.grown = 0

    @property
    def size(self) -> int:
        return sum(sum(loops.values()) for loops in self.kept.values())

    @property
    def loops(self) -> int:
        return sum(sum(size > 0 for size in loops.values()) for loops in self.kept.values())

    @property
    def verdict(self) -> str:
        """`leak`: in some process memory of three loops and more lives, and of late ones too."""
        words = {_verdict(loops, self._last[pid]) for pid, loops in self.kept.items()}
        word = next((word for word in ("leak", "unsure", "stopped") if word in words), "freed")
        return "growing" if word != "leak" and self.times else word

    _last: dict[int, int]


def _verdict(loops: dict[int, int], last: int) -> str:
    living = sorted(loop for loop, size in loops.items() if size > 0)
    if not living or sum(loops.values()) <= 0:
        return "freed"
    if len(living) < _LEAST_LOOPS:
        return "unsure"
    first = living[0]
    later = [loop for loop in living if loop > first + (last - first) // 2]
    return "leak" if len(later) * 4 >= len(living) else "stopped"


class Findings:
    """What the log says."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._last: dict[int, int] = defaultdict(int)
        self._judged: dict[int, int] = defaultdict(int)
        self._clean = 0
        self._freeing = ""

    def add(self, lines: Iterable[Read]) -> None:
        """Read on."""
        for line in lines:
            self._last[line.pid] = max(self._last[line.pid], line.loop)
            if line.kind in {"clean", "total"}:
                self._judged[line.pid] += 1
                self._clean += line.kind == "clean"
            elif line.kind == "line" and line.size > 0:
                self._at(line.place).kept[line.pid][line.loop] += line.size
            elif line.kind == "freed":
                self._at(line.place).kept[line.pid][line.loop] -= line.size
            elif line.kind == "growing":
                place = self._at(line.place)
                place.times = max(place.times, line.times)
                place.grown = max(place.grown, line.size)

    def places(self) -> list[_Place]:
        """Leaks first, the largest first."""
        order = {"leak": 0, "unsure": 1, "growing": 2, "stopped": 3, "freed": 4}
        return sorted(self._places.values(), key=lambda place: (order[place.verdict], -place.size))

    def page(self, *, everything: bool) -> Iterator[str]:
        """What is printed."""
        loops = sum(self._judged.values())
        yield f"{loops:,} loops of {len(self._judged)} processes judged, {self._clean:,} of them clean"
        shown = [place for place in self.places() if everything or place.verdict in {"leak", "unsure", "growing"}]
        if not shown:
            yield "no line keeps memory"
            return
        yield f"{'verdict':<9}{'bytes':>14}{'loops':>8}{'a loop':>12}  {'processes':>9}  line"
        for place in shown[:_ROWS]:
            of = sum(self._judged[pid] for pid in place.kept) or 1
            yield (
                f"{place.verdict:<9}{place.size:>14,}{place.loops:>8,}{place.size / of:>12,.0f}  {len(place.kept):>9}"
                f"  {place.name}"
                + (f"  (allocated more {place.times} times in a row, {place.grown:,} bytes)" if place.times else "")
            )
        if len(shown) > _ROWS:
            yield f"… and {len(shown) - _ROWS} more lines"

    def _at(self, name: str) -> _Place:
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = _Place(name)
            place._last = self._last  # noqa: SLF001 - of the same file
        return place

"""Selectors: from a name and matchers to series of the store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.server.promql.errors import ExecutionError
from sonde.server.promql.limits import LOOKBACK_MS, MOST_SERIES, MOST_VALUES, check_size
from sonde.server.promql.names import number_text, series_names
from sonde.server.promql.vectors import NAME, Series, key_of
from sonde.server.store.queries import windows
from sonde.server.store.queries.samples import at_steps
from sonde.server.store.queries.series import Matcher, Wanted, families, identities, matching, part_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sonde.server.promql.limits import Deadline
    from sonde.server.promql.names import Column, Family
    from sonde.server.promql.vectors import Vector
    from sonde.server.store.client import StoreClient
    from sonde.server.store.queries.samples import Steps, Values
    from sonde.server.store.queries.series import Identity


@dataclass(frozen=True)
class Asker:
    """Who asks, and until when they wait."""

    store: StoreClient
    apps: Sequence[str] | None
    deadline: Deadline

    @property
    def within_s(self) -> int:
        """For one statement, whole seconds as the store counts. Raises TooSlowError."""
        return max(1, round(self.deadline.left_s()))


def columns_of(asker: Asker, matchers: Sequence[Matcher], since_ms: int) -> dict[Column, list[Family]]:
    """The families in which a series may have a name that all matchers of `__name__` take, by where it is found."""
    known: dict[str, list[tuple[Family, Column]]] = defaultdict(list)
    for family in families(asker.store, asker.apps, since_ms):
        for name, column in series_names(family).items():
            known[name].append((family, column))
    names = list(known)
    for matcher in matchers:
        if matcher.label == NAME:
            names = [name for name in names if name in _taken(asker, matcher, names)]
    found: dict[Column, list[Family]] = defaultdict(list)
    for name in names:
        for family, column in known[name]:
            found[column].append(family)
    return found


def _taken(asker: Asker, matcher: Matcher, texts: Sequence[str]) -> set[str]:
    """Those texts that a matcher takes."""
    told = matching(asker.store, matcher.value, texts) if matcher.op.endswith("~") else {matcher.value}
    return set(texts) - told if matcher.op.startswith("!") else set(texts) & told


def wanted_of(asker: Asker, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Iterator[Wanted]:
    """What to ask the store for, one column of points after the other; times as in Wanted."""
    others = tuple(matcher for matcher in matchers if matcher.label != NAME)
    for column, found in columns_of(asker, matchers, start_ms).items():
        yield Wanted(asker.apps, found, column, others, start_ms, end_ms)


def select(
    asker: Asker,
    matchers: Sequence[Matcher],
    steps: Steps,
    window_ms: int = LOOKBACK_MS,
    function: str = windows.NEWEST,
) -> Vector:
    """What `function` makes of the samples in the window before each step. Raises PromqlError, StoreError."""
    merged: dict[tuple[tuple[str, str], ...], Series] = {}
    for wanted in wanted_of(asker, matchers, steps.start_ms - window_ms, steps.end_ms):
        known = identities(asker.store, wanted, MOST_SERIES + 1, asker.within_s)
        check_size(len(known), steps.count)
        room = min(MOST_SERIES, MOST_VALUES // steps.count) + 1
        found = at_steps(asker.store, wanted, steps, window_ms, function, room, asker.within_s)
        check_size(len(found), steps.count)
        for one in _with_parts(asker, wanted, known, found, steps.count):
            key = key_of(one.labels)
            merged[key] = _joined(merged[key], one) if key in merged else one
    return list(merged.values())


def _with_parts(
    asker: Asker, wanted: Wanted, known: dict[int, Identity], found: list[Values], count: int
) -> Iterator[Series]:
    label = part_label(wanted.column)
    parts = {one.part: number_text(one.part) for one in found}
    texts = set(parts.values())
    for matcher in wanted.matchers:
        if label and matcher.label == label:
            texts &= _taken(asker, matcher, sorted(texts))
    for one in found:
        identity = known.get(one.series)
        if identity is None or parts[one.part] not in texts:
            continue  # the first of them: it came in between two statements
        values: list[float | None] = [None] * count
        for step, value in zip(one.steps, one.values, strict=True):
            values[step] = value
        labels = {**identity.labels, NAME: name_of(identity.family, wanted.column)}
        yield Series(labels | {label: parts[one.part]} if label else labels, values)


def name_of(family: Family, column: Column) -> str:
    """The name of series of a family that show this column."""
    return next(name for name, shown in series_names(family).items() if shown == column)


def _joined(one: Series, other: Series) -> Series:
    """Two series of the store that Prometheus cannot tell apart, such as one whose type changed at an upgrade."""
    if any(a is not None and b is not None for a, b in zip(one.values, other.values, strict=True)):
        raise ExecutionError(f"two series are called {dict(sorted(one.labels.items()))}")
    return Series(one.labels, [b if a is None else a for a, b in zip(one.values, other.values, strict=True)])

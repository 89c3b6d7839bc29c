"""What rules measure: the store is asked once for many of them, and each gets the windows of its groups.

Live evaluation asks for one window of 500 rules, a backtest for 40,000 windows of one: by the same way.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.alarms.matching import labels_of, pattern
from sonde.server.alarms.rules import FILTERS, dimensions
from sonde.server.insight.duration_steps import at_rank_ns
from sonde.server.insight.histogram import Histogram
from sonde.server.insight.measures import QUANTILES, STORED_APDEX_T_MS
from sonde.server.promql.errors import PromqlError
from sonde.server.promql.evaluate import Evaluator
from sonde.server.promql.limits import Deadline
from sonde.server.promql.parse import parse
from sonde.server.promql.select import Asker
from sonde.server.promql.vectors import Scalar, Text
from sonde.server.store.errors import StoreError, StoreUnavailable
from sonde.server.store.queries import alarm_windows
from sonde.server.store.queries.alarm_windows import Filters, Windows
from sonde.server.store.queries.samples import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sonde.server.alarms.matching import Labels
    from sonde.server.alarms.rules import Rule
    from sonde.server.reports.alarms import AlarmRuleDocument
    from sonde.server.store.client import StoreClient
    from sonde.server.store.queries.alarm_windows import MetricRow, RequestSums

_QUANTILES = {"p50_ms": 0, "p90_ms": 1, "p95_ms": 2, "p99_ms": 3}
_COUNTS = frozenset({"requests", "requests_per_s", "errors"})
_REQUEST_COLUMNS = ("service", "endpoint", "instance")
_ERROR_COLUMNS = ("service", "endpoint", "error_type")
_METRIC_COLUMNS = ("service", "instance", "host")
PROMQL_WITHIN_S = 10.0
_TOO_SLOW = 159  # ClickHouse's TIMEOUT_EXCEEDED


@dataclass(frozen=True, slots=True)
class Frame:
    """Which windows are read: `count` of them, the first of which ends at `first_s`. See Windows."""

    first_s: int
    step_s: int = 30
    count: int = 1
    period_s: int = 0
    around_s: int = 0

    def windows(self, window_s: int) -> Windows:
        """Of that length."""
        return Windows(self.first_s, window_s, self.step_s, self.count, self.period_s, self.around_s)

    def end_of(self, number: int) -> int:
        """Where a window ends."""
        return self.first_s + number * self.step_s


@dataclass(slots=True)
class Reading:
    """Values of a rule's groups by the number of their window. What is not there is `missing`."""

    groups: dict[Labels, dict[int, float]] = field(default_factory=dict)
    missing: float | None = None
    dropped: int = 0
    """Groups that are more than the rule takes."""
    problem: str = ""
    """Why nothing could be read."""


@dataclass(slots=True)
class _Gathered:
    """Values on their way into a reading; `weight` decides which groups are dropped."""

    values: dict[Labels, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    weight: dict[Labels, float] = field(default_factory=lambda: defaultdict(float))


def read(
    client: StoreClient,
    rules: Sequence[Rule],
    frame: Frame,
    keep: Mapping[str, AbstractSet[Labels]] | None = None,
    among: Sequence[Labels] | None = None,
    *,
    apdex_t_ms: Callable[[str], float] = lambda _: STORED_APDEX_T_MS,
) -> dict[str, Reading]:
    """By rule id; rules of the kinds `no_data` and `agent` are not read here. `keep`: groups that are not dropped.
    `among`: of one rule no groups are wanted that say other names than these. `apdex_t_ms`: T of an app.

    Raises StoreUnavailable. What the store refuses is the problem of the rule that asked.
    """
    found: dict[str, Reading] = {}
    for batch in _batches(rules):
        found |= _read_batch(client, batch._replace(among=among, apdex_t_ms=apdex_t_ms), frame)
    for rule in rules:
        if rule.id in found:
            _drop(found[rule.id], rule.document.most_groups, (keep or {}).get(rule.id, frozenset()))
    return found


class _Batch(NamedTuple):
    kind: str
    window_s: int
    what: str
    rules: list[Rule]
    among: Sequence[Labels] | None = None
    apdex_t_ms: Callable[[str], float] = lambda _: STORED_APDEX_T_MS

    def only(self, columns: Sequence[str]) -> Filters:
        """What all of the rules want and nothing else is wanted of: told to the store already."""
        values: dict[str, list[str]] = {}
        for name in columns:
            wanted = {_exact(rule.document, name) for rule in self.rules}
            if None not in wanted:
                values[name] = sorted(value for value in wanted if value is not None)
            elif self.among and all(name in dict(labels) for labels in self.among):
                values[name] = sorted({dict(labels)[name] for labels in self.among})
        return Filters(values)


def _batches(rules: Iterable[Rule]) -> Iterator[_Batch]:
    """Rules that one query answers."""
    together: dict[tuple[str, int, str], list[Rule]] = defaultdict(list)
    for rule in rules:
        what = rule.document.what
        if what.kind == "promql":
            yield _Batch("promql", rule.document.window_s, "", [rule])
        elif what.kind == "statistic":
            needs = "quantiles" if what.statistic in _QUANTILES else what.statistic if what.statistic == "apdex" else ""
            together[what.kind, rule.document.window_s, needs].append(rule)
        elif what.kind == "host":
            together[what.kind, rule.document.window_s, what.figure or ""].append(rule)
        elif what.kind == "metric":
            together[what.kind, rule.document.window_s, "rate" if what.aggregate == "rate" else ""].append(rule)
        elif what.kind == "errors":
            together[what.kind, rule.document.window_s, ""].append(rule)
    for key, batch in together.items():
        yield _Batch(*key, batch)


def _read_batch(client: StoreClient, batch: _Batch, frame: Frame) -> dict[str, Reading]:
    work: dict[str, Callable[[StoreClient, _Batch, Frame], dict[str, Reading]]] = {
        "statistic": _statistics,
        "host": _host_figures,
        "metric": _metrics,
        "errors": _failures,
        "promql": _promql,
    }
    try:
        return work[batch.kind](client, batch, frame)
    except StoreUnavailable:
        raise
    except PromqlError as error:
        return {batch.rules[0].id: Reading(problem=str(error))}
    except StoreError as error:
        if len(batch.rules) == 1:
            return {batch.rules[0].id: Reading(problem=_refusal(error))}
    found: dict[str, Reading] = {}
    for rule in batch.rules:  # one of them is too much for the store: the others need not suffer for it
        found |= _read_batch(client, batch._replace(rules=[rule]), frame)
    return found


def _refusal(error: StoreError) -> str:
    if error.code == _TOO_SLOW:
        return "it takes too long: name a service, take a shorter window, or fewer days"
    return f"the store refuses: {error.message[:300]}"


def _drop(reading: Reading, most: int, keep: AbstractSet[Labels]) -> None:
    """The groups come in order of their weight."""
    if len(reading.groups) <= most:
        return
    kept = [labels for labels in reading.groups if labels in keep][:most]
    kept += [labels for labels in reading.groups if labels not in keep][: most - len(kept)]
    reading.dropped = len(reading.groups) - len(kept)
    reading.groups = {labels: reading.groups[labels] for labels in kept}


def _reading(gathered: _Gathered, document: AlarmRuleDocument, missing: float | None) -> Reading:
    order = sorted(gathered.values, key=lambda labels: (-gathered.weight[labels], labels))
    groups = {labels: gathered.values[labels] for labels in order}
    if not dimensions(document) and document.what.kind != "promql":
        groups.setdefault((), {})
    return Reading(groups, missing)


def _exact(document: AlarmRuleDocument, name: str) -> str | None:
    """The only value that a rule wants; None: it wants several."""
    value: str = getattr(document.what, name)
    several = not value or ("*" in value and name in dimensions(document))
    return None if several else value


def _matchers(document: AlarmRuleDocument, columns: Sequence[str]) -> list[tuple[int, Callable[[str], object]]]:
    """Place of a column, and what takes its value."""
    grouped = dimensions(document)
    found: list[tuple[int, Callable[[str], object]]] = []
    for place, name in enumerate(columns):
        if name in FILTERS and (value := getattr(document.what, name)):
            found.append((place, pattern(value) if name in grouped else value.__eq__))
    return found


def _used(document: AlarmRuleDocument, columns: Sequence[str]) -> tuple[str, ...]:
    """Columns that a rule filters or groups by."""
    grouped = dimensions(document)
    return tuple(name for name in columns if name in grouped or getattr(document.what, name))


def _apps(rules: Iterable[Rule]) -> list[str]:
    return sorted({rule.app for rule in rules})


def _statistics(client: StoreClient, batch: _Batch, frame: Frame) -> dict[str, Reading]:
    sets = {rule.id: _used(rule.document, _REQUEST_COLUMNS) for rule in batch.rules}
    rows = alarm_windows.request_sums(
        client,
        _apps(batch.rules),
        frame.windows(batch.window_s),
        sorted(set(sets.values())),
        batch.only(_REQUEST_COLUMNS),
        quantiles=batch.what == "quantiles",
        histogram=batch.what == "apdex",
    )
    index: dict[tuple[object, ...], list[tuple[tuple[str, ...], int, RequestSums]]] = defaultdict(list)
    for columns, found in rows.items():
        by_service = bool(columns) and columns[0] == "service"
        for app, values, number, sums in found:
            index[columns, app].append((values, number, sums))
            if by_service:
                index[columns, app, values[0]].append((values, number, sums))
    return {rule.id: _statistic(rule, sets[rule.id], index, batch.apdex_t_ms(rule.app)) for rule in batch.rules}


def _statistic(
    rule: Rule,
    columns: tuple[str, ...],
    index: Mapping[tuple[object, ...], list[tuple[tuple[str, ...], int, RequestSums]]],
    apdex_t_ms: float,
) -> Reading:
    document, least = rule.document, rule.document.condition.requests_least
    service = _exact(document, "service") if "service" in columns else None
    key: tuple[object, ...] = (columns, rule.app) if service is None else (columns, rule.app, service)
    matchers = _matchers(document, columns)
    grouped = [(name, columns.index(name)) for name in sorted(dimensions(document))]
    statistic = document.what.statistic or ""
    gathered = _Gathered()
    for values, number, sums in index.get(key, ()):
        if all(takes(values[place]) for place, takes in matchers):
            labels = tuple((name, values[place]) for name, place in grouped)
            gathered.weight[labels] += sums.requests
            of_group = gathered.values[labels]  # known, be it without a value
            value = _of_requests(statistic, sums, document.window_s, apdex_t_ms) if sums.requests >= least else None
            if value is not None:
                of_group[number] = value
    return _reading(gathered, document, 0.0 if statistic in _COUNTS and not least else None)


def _of_requests(statistic: str, sums: RequestSums, window_s: int, apdex_t_ms: float) -> float | None:
    if statistic == "requests":
        return float(sums.requests)
    if statistic == "requests_per_s":
        return sums.requests / window_s
    if statistic == "errors":
        return float(sums.errors)
    if not sums.requests:
        return None
    if statistic == "error_rate":
        return sums.errors / sums.requests
    if statistic == "apdex":
        return _apdex(sums, apdex_t_ms)
    if statistic == "average_ms":
        return sums.sum_ns / sums.requests / 1e6
    if statistic == "max_ms":
        return sums.max_ns / 1e6
    number = _QUANTILES[statistic]
    found = at_rank_ns(sums.quantiles[number], QUANTILES[number], sums.requests, sums.max_ns)
    return found / 1e6 if math.isfinite(found) else None


def _apdex(sums: RequestSums, t_ms: float) -> float | None:
    """None where T is not the stored one, and requests are older than their histogram."""
    if t_ms == STORED_APDEX_T_MS:
        return (sums.satisfied + sums.tolerating / 2) / sums.requests
    histogram = Histogram.of(sums.histogram)
    return histogram.apdex_points(t_ms) / sums.requests if histogram.requests == sums.requests else None


def _host_figures(client: StoreClient, batch: _Batch, frame: Frame) -> dict[str, Reading]:
    rows = alarm_windows.host_figures(
        client, _apps(batch.rules), frame.windows(batch.window_s), batch.what, batch.only(("host",))
    )
    by_app: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
    for app, host, number, value in rows:
        by_app[app].append((host, number, value))
    found = {}
    for rule in batch.rules:
        takes = pattern(rule.document.what.host or "*")
        gathered = _Gathered()
        for host, number, value in by_app.get(rule.app, ()):
            if takes(host):
                gathered.values[("host", host),][number] = value
        found[rule.id] = _reading(gathered, rule.document, None)
    return found


def _failures(client: StoreClient, batch: _Batch, frame: Frame) -> dict[str, Reading]:
    used = {name for rule in batch.rules for name in _used(rule.document, _ERROR_COLUMNS)}
    columns = [name for name in _ERROR_COLUMNS if name in used]
    rows = alarm_windows.failures(
        client, _apps(batch.rules), frame.windows(batch.window_s), columns, batch.only(columns)
    )
    by_app: dict[str, list[tuple[tuple[str, ...], int, int]]] = defaultdict(list)
    for app, values, number, count in rows:
        by_app[app].append((values, number, count))
    found = {}
    for rule in batch.rules:
        matchers = _matchers(rule.document, columns)
        grouped = [(name, columns.index(name)) for name in sorted(dimensions(rule.document))]
        gathered = _Gathered()
        for values, number, count in by_app.get(rule.app, ()):
            if all(takes(values[place]) for place, takes in matchers):
                labels = tuple((name, values[place]) for name, place in grouped)
                of_group = gathered.values[labels]
                of_group[number] = of_group.get(number, 0.0) + count
                gathered.weight[labels] += count
        found[rule.id] = _reading(gathered, rule.document, 0.0)
    return found


@dataclass(slots=True)
class _Points:
    """Points of several series in one window, put together."""

    points: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = float("-inf")
    last: float = 0.0
    last_ms: int = -1
    rate: float = 0.0

    def add(self, row: MetricRow) -> None:
        self.points += row.points
        self.total += row.total
        self.least, self.most = min(self.least, row.least), max(self.most, row.most)
        if row.last_ms > self.last_ms:
            self.last, self.last_ms = row.last, row.last_ms
        self.rate += row.rate

    def value(self, aggregate: str) -> float:
        by_name = {"min": self.least, "max": self.most, "sum": self.total, "last": self.last, "rate": self.rate}
        return self.total / self.points if aggregate == "average" else by_name[aggregate]


def _metrics(client: StoreClient, batch: _Batch, frame: Frame) -> dict[str, Reading]:
    keys = sorted({key for rule in batch.rules for key in _attributes(rule.document)})
    query = alarm_windows.metric_rates if batch.what == "rate" else alarm_windows.metric_points
    rows = query(
        client,
        _apps(batch.rules),
        frame.windows(batch.window_s),
        sorted({rule.document.what.metric for rule in batch.rules}),
        keys,
        batch.only(_METRIC_COLUMNS),
    )
    index: dict[tuple[str, str], list[MetricRow]] = defaultdict(list)
    for row in rows:
        index[row.app, row.metric].append(row)
    return {rule.id: _metric(rule, keys, index[rule.app, rule.document.what.metric]) for rule in batch.rules}


def _attributes(document: AlarmRuleDocument) -> list[str]:
    """Attributes that a rule filters or groups by."""
    grouped = [name for name in dimensions(document) if name not in _METRIC_COLUMNS]
    return sorted({*grouped, *document.what.labels})


def _metric(rule: Rule, keys: list[str], rows: Iterable[MetricRow]) -> Reading:
    document = rule.document
    columns = (*_METRIC_COLUMNS, *keys)
    matchers = _matchers(document, _METRIC_COLUMNS)
    matchers += [(columns.index(name), value.__eq__) for name, value in document.what.labels.items()]
    grouped = [(name, columns.index(name)) for name in sorted(dimensions(document))]
    together: dict[Labels, dict[int, _Points]] = defaultdict(lambda: defaultdict(_Points))
    for row in rows:
        values = (row.service, row.instance, row.host, *row.labels)
        if all(takes(values[place]) for place, takes in matchers):
            together[tuple((name, values[place]) for name, place in grouped)][row.k].add(row)
    gathered = _Gathered()
    aggregate = document.what.aggregate or ""
    for labels, by_number in together.items():
        gathered.values[labels] = {number: points.value(aggregate) for number, points in by_number.items()}
    return _reading(gathered, document, None)


def _promql(client: StoreClient, batch: _Batch, frame: Frame) -> dict[str, Reading]:
    (rule,) = batch.rules
    steps = Steps(frame.first_s * 1000, frame.step_s * 1000, frame.count)
    asker = Asker(client, [rule.app], Deadline(PROMQL_WITHIN_S))
    value = Evaluator(asker, steps).value(parse(rule.document.what.query))
    if isinstance(value, Text):
        return {rule.id: Reading(problem="the query gives a string, no numbers")}
    gathered = _Gathered()
    if isinstance(value, Scalar):
        gathered.values[()] = dict(enumerate(value.values))
    else:
        for series in value:
            known = {number: at for number, at in enumerate(series.values) if at is not None and at == at}  # noqa: PLR0124
            if known:
                gathered.values[labels_of({k: v for k, v in series.labels.items() if k != "app"})] = known
    return {rule.id: _reading(gathered, rule.document, None)}

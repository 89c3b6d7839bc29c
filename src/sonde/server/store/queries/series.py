"""Metrics as Prometheus' series: which there are, and what their labels say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from sonde.server.promql.names import RESERVED, Family, labels_of
from sonde.server.store.queries.scope import APPS, METRIC_TIMES, at_micros, scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.promql.names import Column, MetricType
    from sonde.server.store.client import StoreClient

MatchOp = Literal["=", "!=", "=~", "!~"]
MOST_TEXTS = 10_000
"""Names or values of labels in one answer."""


class Matcher(NamedTuple):
    """`label op value`, as in a selector; a pattern matches the whole value."""

    label: str
    op: MatchOp
    value: str


@dataclass(frozen=True)
class Wanted:
    """Families that are found under one column, matchers of their labels, and a span of time: after `start_ms`, until
    `end_ms`, both since the epoch.
    """

    apps: Sequence[str] | None
    families: Sequence[Family]
    column: Column
    matchers: Sequence[Matcher]
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Identity:
    """Whose a series is. `labels` are without its name."""

    family: Family
    labels: dict[str, str]


SERIES = "sipHash64(app, service, instance, host, name, unit, type, mapSort(attributes))"
"""The number of a series. Of 10,000 series two are taken for one once in 10¹¹ queries."""
_COLUMNS = {"job": "service", "instance": "instance", "app": "app", "host_name": "host"}
_PARTS = {"bucket": "le", "quantile": "quantile"}


def families(client: StoreClient, apps: Sequence[str] | None, since_ms: int = 0) -> list[Family]:
    """Every metric of which something came in since then, by name."""
    rows = client.rows(
        """
        SELECT DISTINCT name, unit, toString(type) AS type_name, monotonic, delta FROM metric_names
        WHERE ({every_app:Bool} OR app IN {apps:Array(String)}) AND last_seen >= {since:DateTime('UTC')}
        ORDER BY ALL
        """,
        {"every_app": apps is None, "apps": list(apps or []), "since": at_micros(since_ms * 1000)},
    )
    return [
        Family(name, unit, cast("MetricType", type_name), bool(monotonic), bool(delta))
        for name, unit, type_name, monotonic, delta in rows
    ]


def identities(client: StoreClient, wanted: Wanted, limit: int, within_s: int) -> dict[int, Identity]:
    """Series with a sample in that time, by their number; at most `limit`. Buckets are not counted one by one."""
    conditions, parameters = conditions_of(wanted)
    rows = client.dicts(
        f"""
        SELECT {SERIES} AS series, any(name) AS of_name, any(unit) AS of_unit, any(toString(type)) AS of_type,
            any(monotonic) AS of_monotonic, any(app) AS of_app, any(service) AS of_service,
            any(instance) AS of_instance, any(host) AS of_host, any(attributes) AS of_attributes
        FROM metrics WHERE {conditions}
        GROUP BY series LIMIT {{limit:UInt32}}
        """,
        parameters | {"limit": limit},
        settings={"max_execution_time": within_s},
    )
    return {
        row["series"]: Identity(
            Family(row["of_name"], row["of_unit"], row["of_type"], bool(row["of_monotonic"]), delta=False),
            labels_of(row["of_app"], row["of_service"], row["of_instance"], row["of_host"], row["of_attributes"]),
        )
        for row in rows
    }


def attribute_keys(client: StoreClient, apps: Sequence[str] | None, start_ms: int, end_ms: int) -> list[str]:
    """Of the points in that time."""
    rows = client.rows(
        f"SELECT DISTINCT arrayJoin(mapKeys(attributes)) AS key FROM metrics WHERE {APPS} AND {METRIC_TIMES}"
        f" ORDER BY key LIMIT {MOST_TEXTS}",
        times(apps, start_ms, end_ms),
    )
    return [str(key) for (key,) in rows]


def label_values(client: StoreClient, apps: Sequence[str] | None, label: str, start_ms: int, end_ms: int) -> list[str]:
    """What a label says anywhere in that time, without the empty text."""
    rows = client.rows(
        f"SELECT DISTINCT {_label(label, 'asked')} AS said FROM metrics WHERE {APPS} AND {METRIC_TIMES}"
        f" AND said != '' ORDER BY said LIMIT {MOST_TEXTS}",
        times(apps, start_ms, end_ms) | {"asked": _attribute(label)},
    )
    return [str(said) for (said,) in rows]


def matching(client: StoreClient, pattern: str, texts: Sequence[str]) -> set[str]:
    """Those that the pattern (RE2) matches as a whole. Here and not in Python, whose patterns can take for ever."""
    ((found,),) = client.rows(
        "SELECT arrayFilter(x -> match(x, {pattern:String}), {texts:Array(String)})",
        {"pattern": whole(pattern), "texts": list(texts)},
    )
    return set(found)


def replaced(client: StoreClient, pattern: str, by: str, texts: Sequence[str]) -> dict[str, str]:
    r"""Those that the pattern matches as a whole, each with `by` in its place; `\1` in it is the first group."""
    rows = client.rows(
        "SELECT arrayJoin({texts:Array(String)}) AS x, replaceRegexpOne(x, {pattern:String}, {by:String})"
        " WHERE match(x, {pattern:String})",
        {"pattern": whole(pattern), "texts": list(texts), "by": by},
    )
    return dict(rows)


def whole(pattern: str) -> str:
    """A pattern for the whole of a text."""
    return f"^(?s:{pattern})$"


def times(apps: Sequence[str] | None, start_ms: int, end_ms: int) -> dict[str, object]:
    """Parameters of APPS and METRIC_TIMES: after `start_ms`, until `end_ms`."""
    a_ms = timedelta(milliseconds=1)
    return scope(apps, at_micros(start_ms * 1000) + a_ms, at_micros(end_ms * 1000) + a_ms)


def conditions_of(wanted: Wanted) -> tuple[str, dict[str, object]]:
    """WHERE over `metrics`, and its parameters. Matchers of `le` and `quantile` are not in it: they are no columns."""
    conditions = (
        f"{APPS} AND {METRIC_TIMES} AND name IN {{names:Array(String)}}"
        " AND (name, unit, toString(type), monotonic) IN {families:Array(Tuple(String, String, String, Bool))}"
    )
    parameters = times(wanted.apps, wanted.start_ms, wanted.end_ms)
    parameters["names"] = sorted({family.name for family in wanted.families})
    parameters["families"] = sorted({tuple(family[:4]) for family in wanted.families})
    for number, matcher in enumerate(wanted.matchers):
        if matcher.label == part_label(wanted.column):
            continue
        pattern = matcher.op.endswith("~")
        parameters[f"label_{number}"] = _attribute(matcher.label)
        parameters[f"value_{number}"] = whole(matcher.value) if pattern else matcher.value
        label, value = _label(matcher.label, f"label_{number}"), f"{{value_{number}:String}}"
        told = f"match({label}, {value})" if pattern else f"{label} = {value}"
        conditions += f" AND {'NOT ' if matcher.op.startswith('!') else ''}({told})"
    return conditions, parameters


def part_label(column: Column) -> str:
    """The label that tells the parts of one point apart; empty where a point is one sample."""
    return _PARTS.get(column, "")


def _attribute(label: str) -> str:
    """What the attribute is called whose label this is, all but letters, digits and underscores being underscores."""
    told = label.removeprefix("exported_")
    return told if told in RESERVED else label.removeprefix("key_") if label[4:5].isdigit() else label


def _label(label: str, parameter: str) -> str:
    """SQL for the value of a label, '' where a series has none. `parameter` is to be what `_attribute` says."""
    if label in _COLUMNS:
        return _COLUMNS[label]
    if label in RESERVED:
        return "''"
    return (
        "arrayElement(mapValues(attributes), indexOf(arrayMap("
        f"a -> replaceRegexpAll(a, '[^a-zA-Z0-9_]', '_'), mapKeys(attributes)), {{{parameter}:String}}))"
    )

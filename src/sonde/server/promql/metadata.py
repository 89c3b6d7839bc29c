"""Which series, labels and metrics there are, for the completion of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import promql_parser as tree

from sonde.server.promql.errors import BadQueryError
from sonde.server.promql.evaluate import matchers_of
from sonde.server.promql.limits import MOST_SERIES, check_size
from sonde.server.promql.names import RESERVED, label_name, metric_name, series_names
from sonde.server.promql.parse import parse
from sonde.server.promql.select import name_of, wanted_of
from sonde.server.promql.vectors import NAME
from sonde.server.store.queries.series import attribute_keys, families, identities, label_values, part_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sonde.server.promql.select import Asker

_TYPES = {
    "gauge": "gauge",
    "sum": "counter",
    "histogram": "histogram",
    "exponential_histogram": "histogram",
    "summary": "summary",
}


def series(asker: Asker, selectors: Sequence[str], start_ms: int, end_ms: int) -> list[dict[str, str]]:
    """Labels of the series that one of the selectors matches. Buckets are shown once, without `le`."""
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for labels in _labels(asker, selectors, start_ms, end_ms):
        found[tuple(sorted(labels.items()))] = labels
    return list(found.values())


def _labels(asker: Asker, selectors: Sequence[str], start_ms: int, end_ms: int) -> Iterator[dict[str, str]]:
    for selector in selectors:
        node = parse(selector)
        if not isinstance(node, tree.VectorSelector):
            raise BadQueryError(f"invalid parameter 'match[]': {selector!r} is no selector")
        for wanted in wanted_of(asker, matchers_of(node), start_ms, end_ms):
            known = identities(asker.store, wanted, MOST_SERIES + 1, asker.within_s)
            check_size(len(known), 1)
            for identity in known.values():
                part = part_label(wanted.column)
                yield {NAME: name_of(identity.family, wanted.column), **identity.labels} | ({part: ""} if part else {})


def label_names(asker: Asker, selectors: Sequence[str], start_ms: int, end_ms: int) -> list[str]:
    """Of the series that match, or of all."""
    if selectors:
        return sorted({name for labels in _labels(asker, selectors, start_ms, end_ms) for name in labels})
    keys = attribute_keys(asker.store, asker.apps, start_ms, end_ms)
    return sorted({NAME, *RESERVED, *(label_name(key) for key in keys)})


def values_of_label(asker: Asker, name: str, selectors: Sequence[str], start_ms: int, end_ms: int) -> list[str]:
    """What it says in the series that match, or in all."""
    if selectors:
        found = {labels.get(name, "") for labels in _labels(asker, selectors, start_ms, end_ms)}
        return sorted(found - {""})
    if name == NAME:
        known = families(asker.store, asker.apps, start_ms)
        return sorted({shown for family in known for shown in series_names(family)})
    return label_values(asker.store, asker.apps, name, start_ms, end_ms)


def metrics(asker: Asker, only: str, limit: int) -> dict[str, list[dict[str, Any]]]:
    """Type and unit by name. Nobody sends us help texts into this table."""
    shown: dict[str, list[dict[str, Any]]] = {}
    for family in families(asker.store, asker.apps):
        name = metric_name(family)
        if (only and name != only) or (name not in shown and len(shown) >= limit):
            continue
        kind = "gauge" if family.type == "sum" and not family.monotonic else _TYPES[family.type]
        row = {"type": kind, "help": "", "unit": family.unit}
        if row not in shown.setdefault(name, []):
            shown[name].append(row)
    return shown

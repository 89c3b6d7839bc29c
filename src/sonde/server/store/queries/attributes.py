"""Searching by attributes: conditions such as `user.tier=gold` or `cart.items>10`, and what can be written there."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, cast

from sonde.server.reports.page import Page
from sonde.server.reports.traces import AttributeKey, AttributeValue
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, scope
from sonde.server.store.queries.strides import newest_first

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

Operator = Literal["=", "!=", "~", ">", ">=", "<", "<=", "?"]

OF_RESOURCE = "resource."
"""Begins the key of an attribute of the process, which its spans do not carry."""
SAMPLE_SPANS = 10_000
"""About so many of the newest spans say which keys and values there are."""
MOST_KEYS = 200
MOST_VALUES = 30
LONGEST_VALUE = 300
_NO_FURTHER = {"max_rows_to_read": 2_000_000, "read_overflow_mode": "break"}
"""Of each stride, for attributes that hardly any span has: what was found until then is answered."""

_CONDITION = re.compile(r"([^=!~<>?]+)(!=|>=|<=|=|~|>|<|\?)(.*)", re.DOTALL)
_NUMERIC = frozenset({">", ">=", "<", "<="})


class BadConditionError(ValueError):
    """What is wrong with a condition, for people."""


class Condition(NamedTuple):
    """One condition on an attribute. Only spans that have the attribute meet it, also where the operator is `!=`. One
    that is empty counts as not there, but for `key=`.
    """

    key: str
    operator: Operator
    """`~` contains, in any case of letters; `?` is there; `>` and the like compare numbers."""
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """`key=value`, `key!=value`, `key~part`, `key>1`, also `>=` `<` `<=`, and `key?`. Raises BadConditionError."""
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise BadConditionError("comes as key=value; instead of = also !=, ~ (contains), >, >=, <, <=, or key?")
        key, operator, value = found[1], cast("Operator", found[2]), found[3]
        if operator == "?" and value:
            raise BadConditionError(f"nothing follows `{key}?`, which asks whether it is there")
        if operator in _NUMERIC and not _is_number(value):
            raise BadConditionError(f"`{key}{operator}` is followed by a number")
        return cls(key, operator, value)

    def sql(self, number: int) -> tuple[str, dict[str, object]]:
        """Condition on a row of `spans`, and its parameters, which `number` tells from those of other conditions."""
        of_resource = self.key.startswith(OF_RESOURCE) and self.key != OF_RESOURCE
        key, value = f"{{key_{number}:String}}", f"{{value_{number}:String}}"
        parameters: dict[str, object] = {
            f"key_{number}": self.key.removeprefix(OF_RESOURCE) if of_resource else self.key
        }
        if self.operator != "?":
            parameters[f"value_{number}"] = self.value
        if self.operator == "?":
            condition = f"attributes[{key}] != ''"
        elif self.operator == "=":
            # an absent attribute reads as '': a look at the keys, which costs more, is needed for that value alone
            condition = f"attributes[{key}] = {value}" + ("" if self.value else f" AND mapContains(attributes, {key})")
        elif self.operator == "!=":
            condition = f"attributes[{key}] NOT IN ('', {value})"
        elif self.operator == "~":
            condition = f"positionCaseInsensitiveUTF8(attributes[{key}], {value}) > 0"
        else:
            condition = f"ifNull(toFloat64OrNull(attributes[{key}]) {self.operator} toFloat64({value}), false)"
        if of_resource:
            such = f"SELECT app, service, instance FROM instances WHERE {APPS} AND {condition}"
            condition = f"(app, service, instance) IN ({such})"
        return condition, parameters


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text and text == text.strip()
    except ValueError:
        return False


def keys(
    client: StoreClient, apps: Sequence[str] | None, service: str | None, start: datetime, end: datetime
) -> Page[AttributeKey]:
    """Names of attributes of about the newest SAMPLE_SPANS spans, the most frequent first; at most MOST_KEYS."""
    # each span counts once more under no name: so many were looked at
    texts = "arrayJoin(arrayPushBack(CAST(mapKeys(attributes) AS Array(Nullable(String))), NULL))"
    counts = _sampled(client, apps, service, start, end, texts, "", {}, lambda spans: spans.get(None, 0))
    return Page(items=[AttributeKey(key=key, spans=spans) for key, spans in _most(counts, MOST_KEYS)])


def values(
    client: StoreClient,
    apps: Sequence[str] | None,
    service: str | None,
    key: str,
    contains: str,
    start: datetime,
    end: datetime,
) -> Page[AttributeValue]:
    """Values of one attribute in about the newest SAMPLE_SPANS spans that have it, those that contain the text, the
    most frequent first; at most MOST_VALUES, and none that are longer than LONGEST_VALUE characters.
    """
    value = "attributes[{key:String}]"
    # what does not fit counts under no value
    fitting = f"lengthUTF8({value}) <= {LONGEST_VALUE}"
    if contains:
        fitting += f" AND positionCaseInsensitiveUTF8({value}, {{contains:String}}) > 0"
    having = f"AND {value} != ''"
    wanted: dict[str, object] = {"key": key, "contains": contains}
    texts = f"if({fitting}, {value}, NULL)"
    counts = _sampled(client, apps, service, start, end, texts, having, wanted, lambda spans: sum(spans.values()))
    return Page(items=[AttributeValue(value=value, spans=spans) for value, spans in _most(counts, MOST_VALUES)])


def _most(counts: dict[str, int], room: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:room]


def _sampled(
    client: StoreClient,
    apps: Sequence[str] | None,
    service: str | None,
    start: datetime,
    end: datetime,
    text: str,
    conditions: str,
    parameters: dict[str, object],
    looked_at: Callable[[Mapping[str | None, int]], int],
) -> dict[str, int]:
    """How many spans have each `text`, from the end of that time backwards until enough spans were looked at, which
    `looked_at` says of what one query found. None is no text.
    """
    if service is not None:
        conditions += " AND service = {service:String}"
        parameters = parameters | {"service": service}
    counts: dict[str, int] = {}
    room = SAMPLE_SPANS
    for stride_start, stride_end in newest_first(start, end):
        rows = client.rows(
            f"""
            SELECT {text} AS text, count() AS spans
            FROM (SELECT attributes FROM spans WHERE {APPS} AND {SPAN_TIMES} {conditions} LIMIT {room})
            GROUP BY text ORDER BY spans DESC LIMIT {10 * MOST_KEYS}
            """,
            scope(apps, stride_start, stride_end) | parameters,
            settings=_NO_FURTHER,
        )
        found = {key: int(spans) for key, spans in rows}
        for key, spans in found.items():
            if key is not None:
                counts[key] = counts.get(key, 0) + spans
        room -= looked_at(found)
        if room <= 0:
            break
    return counts

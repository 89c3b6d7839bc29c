"""What a rule may say: every impossible one is refused with its place and the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sonde.server.alarms.errors import BadRuleError
from sonde.server.insight.steps import SLOT_S
from sonde.server.promql.errors import BadQueryError
from sonde.server.promql.parse import parse
from sonde.server.reports.alarms import AlarmCondition, AlarmRuleDocument, AlarmWhat, Kind

if TYPE_CHECKING:
    from datetime import datetime

_FIELDS: dict[Kind, frozenset[str]] = {
    "statistic": frozenset({"statistic", "service", "endpoint", "instance"}),
    "host": frozenset({"figure", "host"}),
    "metric": frozenset({"metric", "aggregate", "labels", "service", "instance", "host"}),
    "errors": frozenset({"error_type", "service", "endpoint"}),
    "no_data": frozenset({"signal", "metric", "service", "instance", "host"}),
    "agent": frozenset({"host"}),
    "promql": frozenset({"query"}),
}
_NEEDED: dict[Kind, tuple[str, ...]] = {
    "statistic": ("statistic",),
    "host": ("figure",),
    "metric": ("metric", "aggregate"),
    "errors": (),
    "no_data": ("signal",),
    "agent": (),
    "promql": ("query",),
}
_GROUPS: dict[Kind, frozenset[str]] = {
    "statistic": frozenset({"service", "endpoint", "instance"}),
    "host": frozenset({"host"}),
    "metric": frozenset({"service", "instance", "host"}),
    "errors": frozenset({"service", "endpoint", "error_type"}),
    "no_data": frozenset({"service", "instance", "host"}),
    "agent": frozenset({"host"}),
    "promql": frozenset(),
}
FILTERS = ("service", "endpoint", "instance", "host", "error_type")
"""Fields of `what` that name the only one that is wanted; a pattern where the rule groups by it."""
LONGEST_SILENCE_S = 43_200
"""Who was silent for a day is not known any more."""
LEAST_REMIND_S = 300
_BY_HOST = frozenset({"host", "agent"})
_WITH_BASELINE = frozenset({"statistic", "host", "metric", "errors"})
_SHARES = frozenset({"error_rate", "apdex", "cpu_utilization", "memory_used", "swap_used", "disk_used", "inodes_used"})
_ATTRIBUTE = re.compile(r"[A-Za-z_][\w.\-/]{0,127}", re.ASCII)
_UNITS = {"requests_per_s": "1/s", "requests": "requests", "errors": "errors", "load_per_cpu": ""}


@dataclass(frozen=True, slots=True)
class Rule:
    """One that is kept. `version` grows with each change."""

    id: str
    app: str
    document: AlarmRuleDocument
    version: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str


def dimensions(document: AlarmRuleDocument) -> tuple[str, ...]:
    """What tells the groups of a rule apart."""
    if document.what.kind in _BY_HOST:
        return ("host",)
    return tuple(document.group_by)


def unit(what: AlarmWhat) -> str:
    """Of a rule's value: `ms`, `s`, `ratio` (0 to 1), `1/s`, or what is counted; empty where only the metric knows."""
    if what.kind in {"no_data", "agent"}:
        return "s"
    if what.kind == "errors":
        return "errors"
    name = what.statistic or what.figure or ""
    if name in _SHARES:
        return "ratio"
    return "ms" if name.endswith("_ms") else _UNITS.get(name, "")


def check(document: AlarmRuleDocument) -> None:
    """Raises BadRuleError for what no rule can say. What it names beside itself is looked up where it is kept."""
    if document.name != document.name.strip() or not document.name.isprintable():
        raise BadRuleError("name", "visible characters, without a space at either end")
    _check_what(document.what)
    _check_groups(document)
    _check_times(document)
    _check_condition(document)
    if document.depends_on == document.name:
        raise BadRuleError("depends_on", "a rule cannot depend on itself")
    for number, hours in enumerate(document.quiet_hours):
        if hours.start == hours.end:
            raise BadRuleError(f"quiet_hours.{number}.end", "must differ from `start`")
        try:
            ZoneInfo(hours.time_zone)
        except (KeyError, OSError, ValueError):  # unknown, a folder of the database, no name of a file
            raise BadRuleError(f"quiet_hours.{number}.time_zone", f"there is no {hours.time_zone[:60]!r}") from None


def _check_what(what: AlarmWhat) -> None:
    allowed = _FIELDS[what.kind]
    for name in AlarmWhat.model_fields:
        if name != "kind" and name not in allowed and getattr(what, name):
            raise BadRuleError(f"what.{name}", f"the kind {what.kind} has none; it has {', '.join(sorted(allowed))}")
    for name in _NEEDED[what.kind]:
        if not getattr(what, name):
            raise BadRuleError(f"what.{name}", f"the kind {what.kind} needs it")
    if what.kind == "no_data":
        if what.signal == "metric" and not what.metric:
            raise BadRuleError("what.metric", "which metric is missed?")
        if what.signal == "requests" and (what.metric or what.host):
            raise BadRuleError("what.metric" if what.metric else "what.host", "requests are not told apart by it")
    if what.kind == "promql":
        try:
            parse(what.query)
        except BadQueryError as error:
            raise BadRuleError("what.query", str(error).removeprefix("invalid parameter 'query': ")) from None


def _check_groups(document: AlarmRuleDocument) -> None:
    what = document.what
    may = _GROUPS[what.kind]
    for number, name in enumerate(document.group_by):
        attribute = what.kind == "metric" and _ATTRIBUTE.fullmatch(name) and name not in {"endpoint", "app"}
        if name not in may and not attribute:
            raise BadRuleError(f"group_by.{number}", f"the kind {what.kind} cannot be grouped by {name[:60]!r}")
        if what.kind == "no_data" and what.signal == "requests" and name == "host":
            raise BadRuleError(f"group_by.{number}", "requests are not told apart by host")
        if name in document.group_by[:number]:
            raise BadRuleError(f"group_by.{number}", "is there twice")


def _check_times(document: AlarmRuleDocument) -> None:
    condition = document.condition
    if 0 < document.remind_s < LEAST_REMIND_S:
        raise BadRuleError("remind_s", f"0 (never), or at least {LEAST_REMIND_S}")
    for place, seconds in (
        ("window_s", document.window_s),
        ("remind_s", document.remind_s),
        ("condition.for_s", condition.for_s),
        ("condition.recover_for_s", condition.recover_for_s),
    ):
        if seconds % SLOT_S:
            raise BadRuleError(place, f"must be a whole number of slots of {SLOT_S} s")


def _check_condition(document: AlarmRuleDocument) -> None:
    condition, kind = document.condition, document.what.kind
    if (condition.threshold is None) == (condition.baseline is None):
        raise BadRuleError("condition.threshold", "either a threshold or a baseline is needed")
    if condition.when_no_data == "fire" and dimensions(document):
        raise BadRuleError("condition.when_no_data", "no group can be missed that is not known: use the kind no_data")
    if condition.when_no_data == "fire" and kind == "promql":
        raise BadRuleError("condition.when_no_data", "use absent(…) in the query")
    if condition.requests_least and kind != "statistic":
        raise BadRuleError("condition.requests_least", "only statistics have requests")
    if condition.baseline is not None:
        if kind not in _WITH_BASELINE:
            raise BadRuleError("condition.baseline", f"the kind {kind} has none")
        if condition.recovery_threshold is not None:
            raise BadRuleError("condition.recovery_threshold", "has no meaning beside a baseline")
    if condition.threshold is not None:
        _check_thresholds(document, condition, condition.threshold)


def _check_thresholds(document: AlarmRuleDocument, condition: AlarmCondition, threshold: float) -> None:
    above, recovery = condition.op.startswith(">"), condition.recovery_threshold
    if recovery is not None and (recovery > threshold if above else recovery < threshold):
        side = "above" if above else "below"
        raise BadRuleError("condition.recovery_threshold", f"must not be {side} the threshold {threshold:g}")
    what = document.what
    if what.kind in {"no_data", "agent"}:
        if not above:
            raise BadRuleError("condition.op", "silence is too long, never too short: use > or >=")
        if not SLOT_S <= threshold <= LONGEST_SILENCE_S:
            place = "condition.threshold"
            raise BadRuleError(place, f"a silence of {SLOT_S} to {LONGEST_SILENCE_S} s can be noticed")
    if what.kind in {"metric", "promql"}:
        return
    most = 1.0 if (what.statistic or what.figure or "") in _SHARES else float("inf")
    span = "0 and 1" if most == 1 else "0 and infinity"
    inclusive = condition.op.endswith("=")
    never = (
        (threshold > most if inclusive else threshold >= most)
        if above
        else (threshold < 0 if inclusive else threshold <= 0)
    )
    always = (
        (threshold <= 0 if inclusive else threshold < 0)
        if above
        else (threshold >= most if inclusive else threshold > most)
    )
    if never or always:
        when = "never" if never else "always"
        raise BadRuleError("condition.threshold", f"the value lies between {span}: this would {when} hold")

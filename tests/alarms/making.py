"""Rules and traffic with few words."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sonde.server.alarms.rules import Rule
from sonde.server.reports.alarms import AlarmRuleDocument

sys.path.insert(0, str(Path(__file__).parents[1] / "store_queries"))
from metrics_making import CUMULATIVE, counter, gauge, number, request
from otlp_making import Span

sys.path.pop(0)

__all__ = ["CUMULATIVE", "Span", "at", "counter", "document", "gauge", "number", "request", "requests", "rule", "spans"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(seconds):
    """A time, from seconds since the epoch."""
    return EPOCH + timedelta(seconds=seconds)


def document(name="Rule", **said):
    """Errors of the service `shop`, unless something else is said; `condition` is laid over the default."""
    what = said.pop("what", {"kind": "statistic", "statistic": "error_rate", "service": "shop"})
    condition = {"op": ">", "threshold": 0.1, "recover_for_s": 0} | said.pop("condition", {})
    if "baseline" in condition:
        condition.pop("threshold")
    return AlarmRuleDocument(name=name, what=what, condition=condition, **({"window_s": 60} | said))


def rule(app, *names, id_="1", **said):
    """A rule that is not kept anywhere."""
    made = datetime(2026, 1, 1, tzinfo=UTC)
    return Rule(id_, app, document(*names, **said), 1, made, "test", made, "test")


def spans(start_s, count, *, endpoint="GET /", ms=10.0, errors=0):
    """So many requests in the second `start_s` (since the epoch), the first of which have failed."""
    return [
        Span(
            name=endpoint,
            start=at(start_s) + timedelta(milliseconds=n % 1000),
            ms=ms,
            error=n < errors,
            attributes={"http.request.method": "GET", "http.route": endpoint.removeprefix("GET ")},
            id=(n + 1).to_bytes(8, "big"),
            exception=("ValueError", "no") if n < errors else None,
        )
        for n in range(count)
    ]


def requests(sender, start_s, count, *, service="shop", instance="i-1", **said):
    """The same, sent."""
    sender.spans(service, *spans(start_s, count, **said), received=at(start_s), service__instance__id=instance)

"""Rules about names hold wherever a name is read: traces, the live view, errors, slow calls, deploys, metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from otlp_making import CLIENT, INTERNAL, SLOT, Span, resource
from test_store_queries_nodes import gauge, point

from sonde.server.accounts.name_rules import Rule, Wish
from sonde.server.insight.live_reading import Question
from sonde.server.promql import metadata
from sonde.server.promql.limits import Deadline
from sonde.server.promql.select import Asker
from sonde.server.store.queries import (
    alarm_windows,
    attributes,
    deploys,
    failures,
    findings,
    jaeger,
    live,
    moments,
    runtime,
    statements,
    traces,
)
from sonde.server.store.queries.alarm_windows import Filters, Windows
from sonde.server.store.queries.naming import Naming, Shown, named
from sonde.wire.protobuf import message

MINUTE = timedelta(minutes=1)
SQL = {"db.system": "mysql", "db.statement": "select * from users where id = ?", "server.address": "db"}


def rules(app: str, *wishes: Wish) -> list[Rule]:
    return [Rule(str(number), app, wish, datetime.now(UTC), "test") for number, wish in enumerate(wishes)]


def ms(milliseconds: float) -> timedelta:
    return timedelta(milliseconds=milliseconds)


@pytest.fixture
def two(sender):
    """Services www and bare: a request each, with a statement inside, in a trace of its own; it fails."""
    for letter, service in (b"W", "www"), (b"B", "bare"):
        trace = {"trace": letter * 16}
        request = Span(
            name="GET /user/7", start=SLOT, ms=40, id=letter * 8, error=True, exception=("KeyError", "7"), **trace
        )
        inside = Span(name="work", kind=INTERNAL, start=SLOT + ms(1), ms=30, id=b"I" * 8, parent=letter * 8, **trace)
        statement = Span(
            name="SELECT", kind=CLIENT, start=SLOT + ms(2), id=b"C" * 8, parent=b"I" * 8, attributes=SQL, **trace
        )
        sender.spans(service, request, inside, statement, service__instance__id=f"{service}-1", zone=service)


@pytest.fixture
def site(web, app, two):
    """Both are `site`, and requests for users one endpoint."""
    both = [Wish("alias", service=name, name="site") for name in ("www", "bare")]
    return named(web, rules(app, *both, Wish("endpoint", pattern=r"GET /user/\d+", name="GET /user/{id}")))


def found(client, app, **filters):
    page = traces.search(client, [app], start=SLOT, end=SLOT + MINUTE, **filters)
    return sorted((row.trace_id[:2], row.service, row.endpoint) for row in page.items)


BOTH = [("42", "site", "GET /user/{id}"), ("57", "site", "GET /user/{id}")]


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({}, BOTH),
        ({"order": "slowest"}, BOTH),
        ({"service": "site", "endpoint": "GET /user/{id}"}, BOTH),
        ({"service": "site", "instance": "www-1"}, BOTH[1:]),
        ({"attributes": [attributes.Condition.parse("resource.zone=www")]}, BOTH[1:]),
        ({"service": "www"}, []),
        ({"endpoint": "GET /user/7"}, []),
    ],
)
def test_traces_are_searched_by_the_names_that_are_shown(site, app, filters, rows):
    assert found(site, app, **filters) == rows


def test_a_waterfall_has_the_names_and_leaves_out_what_is_hidden(web, site, app):
    shown = traces.trace(site, [app], "57" * 16)
    hidden = traces.trace(named(web, rules(app, Wish("hide", service="www"))), [app], "57" * 16)

    assert [(span.service, span.name, span.depth) for span in shown.spans] == [
        ("site", "GET /user/{id}", 0),
        ("site", "work", 1),
        ("site", "SELECT", 2),
    ]
    assert shown.services == ["site"]
    assert hidden is None


def test_the_traces_of_a_moved_service_are_seen_by_who_sees_its_new_app(web, app, two):
    client = named(web, rules(app, Wish("move", service="www", target_app=f"{app}-bank")))

    assert found(client, app) == [("42", "bare", "GET /user/7")]
    assert found(client, f"{app}-bank") == [("57", "www", "GET /user/7")]
    assert traces.trace(client, [app], "57" * 16) is None
    assert {span.app for span in traces.trace(client, [f"{app}-bank"], "57" * 16).spans} == {f"{app}-bank"}


def test_what_can_be_searched_for_is_listed_for_the_service_as_it_is_shown(site, app):
    keys = {row.key for row in attributes.keys(site, [app], "site", SLOT, SLOT + MINUTE).items}

    assert "db.system" in keys
    assert attributes.keys(site, [app], "www", SLOT, SLOT + MINUTE).items == []


def test_what_else_is_asked_of_a_trace_is_answered_under_such_names(site, app):
    trace = "57" * 16
    (failed,) = alarm_windows.failures(
        site, [app], Windows(int((SLOT + MINUTE).timestamp()), 60), ["service", "endpoint"], Filters({})
    )[:1]

    assert attributes.values(site, [app], "site", "db.system", "", SLOT, SLOT + MINUTE).items[0].value == "mysql"
    assert moments.moments(site, [app], trace) is not None
    assert findings.findings(site, [app], trace, 2) is not None
    assert failed == (app, ("site", "GET /user/{id}"), 0, 2)


def test_jaeger_reads_the_names_as_well(site, app):
    wanted = jaeger.Wanted("site", SLOT, SLOT + MINUTE, "GET /user/{id}")

    assert jaeger.services(site, [app], SLOT, SLOT + MINUTE) == ["site"]
    assert sorted(jaeger.find(site, [app], wanted, 9)) == ["42" * 16, "57" * 16]


def test_the_live_view_has_the_names_and_a_series_of_the_service_as_it_is_shown(site, app):
    question = Question((app,), frozenset({"site"}), SLOT - MINUTE, SLOT - MINUTE, SLOT + ms(5000))

    reading = live.read(site, question)

    assert [(row.service, row.endpoint) for row in reading.rows] == [("site", "GET /user/{id}")] * 2
    assert sum(sums.requests for sums in reading.series["site"].values()) == 2
    assert [row.service for row in reading.services] == ["site"]


def test_failures_of_two_services_that_are_one_are_one_group(site, web, app):
    (group,) = failures.errors(site, [app], SLOT, SLOT + MINUTE).items
    report = failures.report(site, [app], int(group.id, 16), SLOT, SLOT + MINUTE, service="site")

    assert len(failures.errors(web, [app], SLOT, SLOT + MINUTE).items) == 2
    assert (group.place, group.times) == ("GET /user/{id}", 2)
    assert [(row.service, row.times) for row in group.services] == [("site", 2)]
    assert [(row.service, row.name, row.times) for row in report.endpoints] == [("site", "GET /user/{id}", 2)]
    assert {sample.service for sample in report.samples} == {"site"}


def test_statements_are_called_by_the_services_and_endpoints_that_are_shown(site, app):
    (group,) = statements.slow(site, [app], ("sql",), SLOT, SLOT + MINUTE, service="site").items
    report = statements.report(site, [app], ("sql", int(group.id[4:], 16)), SLOT, SLOT + MINUTE, service="site")

    assert [(row.service, row.calls) for row in group.services] == [("site", 2)]
    assert [(row.service, row.endpoint, row.calls) for row in report.callers] == [("site", "GET /user/{id}", 2)]


def test_a_deploy_is_one_of_the_service_that_is_shown(web, loader, sender, app):
    for version, minutes in (("1", 0), ("2", 5)):
        when = SLOT + timedelta(minutes=minutes)
        sender.spans("www", Span(start=when), received=when, service__version=version, service__instance__id=version)
        deploys.learn_runs(loader, SLOT)
    client = named(web, rules(app, Wish("alias", service="www", name="site")))

    (mark,) = deploys.deploys(client, [app], SLOT, SLOT + 30 * MINUTE, ["site"]).items

    assert (mark.service, mark.kind, mark.version) == ("site", "deploy", "2")
    assert deploys.deploys(client, [app], SLOT, SLOT + 30 * MINUTE, ["www"]).items == []


def test_metrics_are_those_of_the_service_that_is_shown_in_the_app_that_it_is_shown_in(web, sender, app):
    reading = gauge("sonde.thread.count", point(1, SLOT, 3))
    facts = resource({"service.name": "www", "service.instance.id": "one"})
    sender.request("metrics", message(1, facts + message(2, reading)))
    alias = named(web, rules(app, Wish("alias", service="www", name="site")))
    move = named(web, rules(app, Wish("move", service="www", target_app=f"{app}-bank")))

    assert runtime.report(alias, [app], "site", SLOT, SLOT + MINUTE).instances == 1
    assert runtime.report(alias, [app], "www", SLOT, SLOT + MINUTE).instances == 0
    start_ms, end_ms = int(SLOT.timestamp() * 1000) - 1, int((SLOT + MINUTE).timestamp() * 1000)
    for client, where, jobs in ((alias, app, ["site"]), (move, f"{app}-bank", ["www"]), (move, app, [])):
        asker = Asker(client, [where], Deadline())
        series = metadata.series(asker, ['{__name__=~"sonde_thread.*"}'], start_ms, end_ms)
        assert [one["job"] for one in series] == jobs


def test_a_rule_holds_from_the_next_question_on(web, app, two):
    known: list[Rule] = []
    client = Shown(web, lambda: known)
    before = found(client, app)
    known += rules(app, Wish("hide", service="www"))

    assert [service for _, service, _ in before] == ["bare", "www"]
    assert [service for _, service, _ in found(client, app)] == ["bare"]


def test_what_a_name_was_made_of_and_what_it_is_made_into_can_be_asked(app):
    naming = Naming(rules(app, Wish("alias", service="www", name="site"), Wish("move", service="a", target_app="bank")))

    assert naming.makes(app, "site")
    assert naming.makes("bank", "a")
    assert naming.unmakes(app, "www")
    assert naming.unmakes(app, "a")
    assert not naming.makes(app, "www")
    assert not naming.unmakes("bank", "www")

"""Rules about names: what is read is as they say, whatever was recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from otlp_making import CLIENT, SLOT, Span

from sonde.server.accounts.name_rules import Rule, Wish
from sonde.server.insight.measures import Thresholds
from sonde.server.store.queries import services, statistics, topology
from sonde.server.store.queries.naming import BadPatternError, check_pattern, named
from sonde.server.store.queries.statistics import Asked, Filters

MINUTE = timedelta(minutes=1)
BY = Thresholds(apdex_t_ms=500, normal_ms=100, slow_ms=200, timeout_ms=2000)


def rules(app: str, *wishes: Wish) -> list[Rule]:
    return [Rule(str(number), app, wish, datetime.now(UTC), "test") for number, wish in enumerate(wishes)]


def endpoints(client, app: str, **filters) -> dict[tuple[str, str], int]:
    asked = Asked([app], SLOT, SLOT + MINUTE, lambda _: BY, Filters(**filters))
    return {(row.service, row.endpoint): row.requests for row in statistics.table(client, asked, "endpoint").items}


@pytest.fixture
def two(sender):
    """Services www and bare, with four requests to two endpoints each."""
    for service in ("www", "bare"):
        spans = [Span(name=f"GET /user/{n % 2}", start=SLOT, ms=10.0 * n, id=bytes([n]) * 8) for n in range(1, 5)]
        sender.spans(service, *spans, service__instance__id=service)


def test_the_first_rule_that_fits_an_endpoint_holds_and_none_is_applied_to_what_another_made(web, app, two):
    client = named(
        web,
        rules(
            app,
            Wish("endpoint", pattern="GET /user/1", name="one", service="www"),
            Wish("endpoint", pattern=r"GET /user/\d", name="user"),
            Wish("endpoint", pattern="user|one", name="never"),
            Wish("endpoint", pattern="GET /us", name="part"),
        ),
    )

    assert endpoints(client, app) == {
        ("www", "one"): 2,
        ("www", "user"): 2,
        ("bare", "user"): 4,
    }
    assert endpoints(client, app, endpoint="user", service="bare") == {("bare", "user"): 4}
    assert endpoints(web, app)["www", "GET /user/1"] == 2


def test_rules_of_an_app_are_for_no_other_one(web, app, two):
    client = named(web, rules("another", Wish("alias", service="www", name="x"), Wish("hide", service="bare")))

    assert set(endpoints(client, app)) == set(endpoints(web, app))


def test_services_that_are_one_have_the_figures_of_all_their_requests(web, app, two):
    both = [Wish("alias", service=name, name="site") for name in ("www", "bare")]
    client = named(web, rules(app, *both, Wish("alias", service="www", name="too late")))

    (site,) = services.overview(client, [app], SLOT, SLOT + MINUTE)
    report = services.report(client, [app], "site", SLOT, SLOT + MINUTE, 500)

    assert (site.service, site.requests, site.instances, site.max_ms) == ("site", 8, 2, 40.0)
    assert site.p50_ms == pytest.approx(25, abs=6)
    assert {row.instance for row in report.instances} == {"bare", "www"}
    assert services.report(client, [app], "www", SLOT, SLOT + MINUTE, 500) is None


def test_a_moved_service_is_seen_by_who_sees_its_new_app_and_by_nobody_else(web, app, two):
    client = named(web, rules(app, Wish("move", service="www", target_app="bank"), Wish("hide", service="bare")))

    assert services.overview(client, [app], SLOT, SLOT + MINUTE) == []
    (moved,) = [row for row in services.overview(client, ["bank"], SLOT, SLOT + MINUTE) if row.service == "www"]
    assert (moved.app, moved.requests) == ("bank", 4)


def test_the_map_has_the_names_too(web, sender, app, two):
    attributes = {"server.address": "db", "db.system": "mysql"}
    sender.spans("www", Span(start=SLOT, kind=CLIENT, parent=b"P" * 8, attributes=attributes))
    client = named(web, rules(app, Wish("alias", service="www", name="site"), Wish("hide", service="bare")))

    found = topology.service_map(client, [app], SLOT, SLOT + MINUTE)

    names = {node.name for node in found.nodes}
    assert "site" in names
    assert not names & {"www", "bare"}
    assert [edge.target for edge in found.edges if edge.source == f"service:{app}/site"] == ["database:db"]


def test_without_rules_it_is_the_store_itself(web):
    assert named(web, []) is web


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a(b", r"missing \)"),
        ("a[z-b]c", "invalid character class range at character 3: 'z-b'"),
        ("ab**", r"bad repetition operator at character 3: '\*\*'"),
        (r"a\8", "invalid escape sequence at character 2"),
        ("x{5000}", "invalid repetition size at character 2"),
        ("(?=a)b", "invalid"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_place_and_reason(web, pattern, why):
    with pytest.raises(BadPatternError, match=why):
        check_pattern(web, pattern)


def test_a_pattern_that_is_one_is_taken(web):
    check_pattern(web, r"GET /user/(?P<id>\d+)/(a|b)?.*'\\")

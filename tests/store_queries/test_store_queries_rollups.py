"""Long times are read from long slots, and say the same."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from otlp_making import CLIENT, NOW, SERVER, Sender, Span

from sonde.server.accounts.name_rules import Rule, Wish
from sonde.server.insight.measures import Thresholds
from sonde.server.insight.steps import floor_to
from sonde.server.store.errors import StoreError
from sonde.server.store.queries import (
    alarm_windows,
    consistency,
    long_slots,
    rollups,
    services,
    statistics,
    statistics_series,
    topology,
)
from sonde.server.store.queries.alarm_windows import Windows, request_sums
from sonde.server.store.queries.naming import named
from sonde.server.store.queries.statistics import Asked, Filters

DAY = timedelta(days=1)
LENGTH = timedelta(hours=36)
QUARTERS = [
    timedelta(hours=hours, minutes=15 * quarter) for hours in range(0, 36, 6) for quarter in (0, 1, 2, 3, 4, 5, 9)
]
"""When requests were, before NOW: of each six hours in some, and in each quarter of most of these."""
END = NOW + timedelta(seconds=1)
"""After the last request, also where that is the begin of a slot."""
BY = Thresholds(apdex_t_ms=250, normal_ms=100, slow_ms=200, timeout_ms=2000)


@given(
    st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([0, 30, 180, 900, 1800, 3600, 10_800, 21_600, 86_400])
)
def test_slots_cover_a_time_without_gap_and_none_is_in_two_steps(start, length, step):
    start_s, end_s = start * 30, start * 30 + length

    pieces = list(rollups.cover(start_s, end_s, step))

    ends = [start_s, *(piece.end_s for piece in pieces)]
    assert [piece.start_s for piece in pieces] == ends[:-1]
    assert ends[-1] == end_s
    for piece in pieces:
        assert piece.start_s < piece.end_s
        if piece.slot_s != 30:
            assert piece.start_s % piece.slot_s == piece.end_s % piece.slot_s == step % piece.slot_s == 0


def test_weeks_are_read_from_long_slots_and_their_ends_from_shorter_and_shorter_ones():
    day_s = 86_400
    pieces = list(rollups.cover(day_s, 14 * day_s))
    ends = [piece.slot_s for piece in rollups.cover(day_s - 90, 3 * day_s - 90)]

    assert pieces == [
        rollups.Piece(day_s, day_s, 2 * day_s),
        rollups.Piece(2 * day_s, 2 * day_s, 14 * day_s),
    ]
    assert list(rollups.cover(0, 17 * day_s)) == [
        rollups.Piece(8 * day_s, 0, 16 * day_s),
        rollups.Piece(day_s, 16 * day_s, 17 * day_s),
    ]
    assert ends == [30, 86_400, 43_200, 21_600, 3600, 900, 30]
    assert {piece.slot_s for piece in rollups.cover(0, 7 * 86_400, 7200)} == {3600}


def test_what_is_asked_by_endpoint_and_instance_is_kept_by_half_minutes_alone(web, filled):
    start = NOW - LENGTH

    def read(length, *keys):
        return rollups.requests(web, start, start + length, keys)

    assert read(DAY, "endpoint", "instance") == "rollup_30s"
    assert "kept_by = 'endpoint'" in read(DAY, "endpoint")
    assert "kept_by = 'instance'" in read(DAY, "instance")
    assert "kept_by = 'service'" in read(DAY, "service", "status_code")
    assert "kept_by = 'app'" in read(DAY, "status_code")
    start = floor_to(start, 900) + timedelta(minutes=7)
    assert "slot_s = 30" in read(timedelta(minutes=16))
    assert read(timedelta(minutes=16), "endpoint") == "rollup_30s", "no quarter of an hour is all in it"
    assert read(timedelta(minutes=10)) == "rollup_30s"


@pytest.mark.slow
def test_what_was_made_in_other_lengths_or_by_less_is_made_again(web, loader, filled, make_long_slots):
    loader.command("TRUNCATE TABLE long_slots_made")
    loader.command("INSERT INTO long_slots_made SELECT now(), now() - 180, now64(3, 'UTC'), '21600, 900 s by service'")

    before = rollups.requests(web, NOW - DAY, END, ())
    again = make_long_slots()
    after = rollups.requests(web, NOW - DAY, END, ())

    assert before == "rollup_30s"
    assert again >= 28  # quarters of an hour, of a day at least
    assert "request_slots" in after


MOVES = Wish(kind="move", service="cart", target_app="elsewhere")
RENAMES = Wish(kind="alias", service="cart", name="basket")


@pytest.mark.parametrize(("wish", "left"), [(MOVES, 1), (RENAMES, len(QUARTERS) + 1)])
def test_of_an_app_that_lost_a_service_by_a_rule_the_rest_is_told(web, filled, wish, left):
    shown = named(web, [Rule("1", filled, wish, NOW, "test")])

    read = rollups.requests(shown, NOW - LENGTH, END, ())
    by_status = statistics.table(shown, Asked([filled], NOW - LENGTH, END, lambda _: BY), "status")

    assert ("kept_by = 'service'" in read) == (wish is MOVES)
    assert by_status.whole.requests == left


@pytest.fixture(scope="module")
def sender(loader, store_folder):
    """One app for all tests here: what is made of it takes longer than what is asked of it."""
    return Sender(loader, store_folder / "spool", "long")


@pytest.fixture(scope="module")
def sent(sender):
    """A day and a half of one service that calls a cache, and one request to another service."""
    spans = []
    for number, ago in enumerate(QUARTERS):
        start = NOW - ago - timedelta(seconds=number % 31)
        ids = {"trace": (1000 + number).to_bytes(16, "big"), "start": start, "error": number % 10 == 0}
        spans.append(
            Span(
                name=f"GET /{number % 3}",
                kind=SERVER,
                id=number.to_bytes(8, "big"),
                ms=10 + number % 400,
                attributes={"http.response.status_code": 500 if number % 10 == 0 else 200},
                **ids,
            )
        )
        spans.append(
            Span(
                name="GET",
                kind=CLIENT,
                id=(5000 + number).to_bytes(8, "big"),
                parent=number.to_bytes(8, "big"),
                attributes={"db.system": "redis", "server.address": "cache"},
                **ids,
            )
        )
    sender.spans("cart", *spans[: len(spans) // 2], service__instance__id="one")
    sender.spans("cart", *spans[len(spans) // 2 :], service__instance__id="two")
    sender.spans("till", Span(id=b"at noon.", trace=b"N" * 16, start=NOW - LENGTH / 2, ms=10))
    return sender.app


@pytest.fixture
def filled(web, sent, make_long_slots):
    """It is in long slots."""
    if not rollups.made_until_s(web, "long_slots_made"):
        make_long_slots()
    return sent


def everything(web, app, start, end):
    """What pages about a long time show."""
    asked = Asked([app], start, end, lambda _: BY)
    one = Asked([app], start, end, lambda _: BY, Filters(service="cart", endpoint="GET /1"))
    return [
        services.overview(web, [app], start, end, lambda _: 250),
        services.report(web, [app], "cart", start, end, 250),
        *(statistics.table(web, asked, by) for by in ("service", "endpoint", "instance", "status", "peer", "callee")),
        statistics.table(web, one, "endpoint", compare="yesterday"),
        statistics_series.series(web, one, end, step_s=3600),
        statistics_series.series(web, asked, end, step_s=2 * 86_400, compare="yesterday"),
        statistics_series.histogram(web, asked),
        topology.service_map(web, [app], start, end),
        topology.history(web, [app], start, end, points=50),
    ]


@pytest.mark.parametrize(
    "back",
    [pytest.param(timedelta(hours=7, minutes=3), marks=pytest.mark.slow), timedelta(days=2, hours=5, seconds=30)],
)
def test_pages_say_the_same_from_long_slots_as_from_short_ones(web, filled, monkeypatch, back):
    start, end = NOW - back, NOW + timedelta(minutes=1)
    long = everything(web, filled, start, end)
    read = rollups.requests(web, start, end, ())

    monkeypatch.setattr(rollups, "made_until_s", lambda *_: 0)
    short = everything(web, filled, start, end)

    assert "request_slots" in read
    for of_long, of_short in zip(long, short, strict=True):
        assert rounded(of_long) == rounded(of_short)


@pytest.mark.parametrize(("window_s", "step_s"), [(60, 60), (300, 90), (3600, 1800)])
@pytest.mark.parametrize("columns", [(), ("service",), ("endpoint",)])
def test_windows_of_alarms_say_the_same_from_what_is_made_as_from_what_came(
    web, filled, monkeypatch, columns, window_s, step_s
):
    start_s = int((NOW - timedelta(days=2, hours=5)).timestamp()) // step_s * step_s + step_s // 2 // 30 * 30
    windows = Windows(start_s, window_s, step_s, 2 * 86_400 // step_s)

    def read():
        found = request_sums(
            web, [filled], windows, [columns], alarm_windows.Filters({}), quantiles=True, histogram=True
        )
        return {(labels, k): sums for _, labels, k, sums in found[columns]}

    of_made = read()
    monkeypatch.setattr(rollups, "made_until_s", lambda *_: 0)

    assert of_made == read()
    assert of_made


def rounded(report):
    """Numbers that were divided are as near as such numbers come."""
    if isinstance(report, list):
        return [rounded(part) for part in report]
    if hasattr(report, "model_dump"):
        return rounded(report.model_dump())
    if isinstance(report, dict):
        return {name: rounded(value) for name, value in report.items()}
    return pytest.approx(report) if isinstance(report, float) else report


def test_long_slots_say_what_spans_say_also_after_some_that_came_late(web, sender, filled, make_long_slots):
    start, end = NOW - LENGTH, NOW - timedelta(hours=1)

    again = make_long_slots()
    before = services.report(web, [filled], "till", start, end, 250)
    assert not long_slots.is_behind(web)
    time.sleep(1.1)  # what is written within the second in which slots were made waits for the next look
    sender.spans("till", Span(id=b"lately!!", trace=b"L" * 16, start=NOW - LENGTH / 2, ms=9000))
    assert long_slots.is_behind(web)
    late = make_long_slots()
    after = services.report(web, [filled], "till", start, end, 250)

    assert again > 0  # they were written to a moment ago
    assert late > 0
    assert after.figures.requests == before.figures.requests + 1
    assert after.figures.max_ms == 9000.0
    assert consistency.compare(web, start, end) == []


def test_where_no_long_slot_was_made_short_ones_are_read(web, loader, filled):
    loader.command("TRUNCATE TABLE long_slots_made")

    whole = services.report(web, [filled], "cart", NOW - LENGTH, END, 250)

    assert whole.figures.requests == len(QUARTERS)


@pytest.mark.slow
def test_what_was_begun_and_not_finished_is_made_by_the_next_call(web, loader, filled, monkeypatch):
    loader.command("TRUNCATE TABLE long_slots_made")
    for table in ("request_slots", "edges_long"):
        loader.command(f"TRUNCATE TABLE {table}")
    failing = long_slots._STATISTICS._replace(of_long=("SELECT throwIf(true)",))
    monkeypatch.setattr(long_slots, "_STATISTICS", failing)
    with pytest.raises(StoreError):
        long_slots.make(loader)
    unfinished = services.report(web, [filled], "cart", NOW - timedelta(hours=23, minutes=55), END, 250)
    monkeypatch.undo()

    long_slots.make(loader)

    finished = services.report(web, [filled], "cart", NOW - timedelta(hours=23, minutes=55), END, 250)
    assert rounded(finished) == rounded(unfinished)
    assert finished.figures.requests == len(QUARTERS) * 2 // 3

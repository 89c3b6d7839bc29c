"""What a rule would have done, over a stored history that is made here and judged by hand."""

from datetime import timedelta

import pytest
from making import at, requests, rule, spans

from sonde.server.alarms.backtest import ProblemError, backtest
from sonde.server.alarms.condition import Condition, Standing, advance
from sonde.server.alarms.readings import Frame, read
from sonde.server.alarms.suggestion import suggest
from sonde.server.alarms.thresholds import sample

SLOT_S = 30


@pytest.fixture
def start_s(clock):
    return int(clock.now.timestamp()) - 7200


def sent(sender, start_s, durations, **said):
    """Two requests in each slot, of so many ms."""
    found = []
    for number, ms in enumerate(durations):
        if ms is not None:
            found += spans(start_s + number * SLOT_S + 2, 2, ms=ms, **said)
    sender.spans("shop", *found, received=at(start_s + len(durations) * SLOT_S))


def test_it_says_when_and_how_often_it_would_have_fired(web, sender, app, start_s):
    calm, slow = [20.0] * 20, [900.0] * 6
    sent(sender, start_s, [*calm, *slow, *calm, *slow, 950.0])
    wanted = rule(
        app,
        what={"kind": "statistic", "statistic": "max_ms", "service": "shop"},
        window_s=30,
        condition={"threshold": 500, "for_s": 60},
    )

    found = backtest(web, wanted, at(start_s), at(start_s + 53 * SLOT_S))

    (group,) = found.groups
    assert (found.fired, found.step_s, found.unit) == (2, 30, "ms")
    first, second = group.intervals
    assert first.started_at == at(start_s + 23 * SLOT_S)
    assert first.ended_at == at(start_s + 27 * SLOT_S)
    assert (second.ended_at, second.peak) == (None, 950.0)
    assert group.firing_s == found.firing_s == 4 * SLOT_S + 4 * SLOT_S
    assert found.data_from == at(start_s + SLOT_S)
    assert [point.value for point in group.series[18:22]] == [20.0, 20.0, 900.0, 900.0]
    assert {point.threshold for point in group.series} == {500.0}


def test_it_judges_as_live_evaluation_does(web, sender, app, start_s):
    """Slot by slot the states are the same, percentiles of overlapping windows included."""
    sent(sender, start_s, [10, 10, 300, 300, None, 10, 400, 500, 10, 10, 10, None, None, 600, 10], errors=1)
    for what, threshold in (
        ({"statistic": "p95_ms"}, 250),
        ({"statistic": "requests"}, 5),
        ({"statistic": "errors"}, 2),
    ):
        wanted = rule(
            app,
            what={"kind": "statistic", "service": "shop", **what},
            window_s=90,
            condition={"threshold": threshold, "for_s": 30, "recover_for_s": 30},
        )
        condition, standing, fired = Condition.of(wanted.document), Standing(), []
        for slot in range(1, 16):
            end_s = start_s + slot * SLOT_S
            reading = read(web, [wanted], Frame(end_s))["1"]
            value = reading.groups[()].get(0, reading.missing)
            after = advance(condition, standing, sample(wanted.document.condition, end_s, value, None))
            if after.is_active and not standing.is_active:
                fired.append(at(end_s))
            standing = after

        found = backtest(web, wanted, at(start_s), at(start_s + 15 * SLOT_S))

        assert [interval.started_at for interval in found.groups[0].intervals] == fired
        assert fired


def test_groups_come_by_how_often_they_would_have_fired(web, sender, app, start_s):
    requests(sender, start_s, 4, service="calm")
    requests(sender, start_s, 4, service="bad", errors=4)
    wanted = rule(app, what={"kind": "statistic", "statistic": "error_rate"}, group_by=["service"])

    found = backtest(web, wanted, at(start_s), at(start_s + 600))

    assert [(group.group, group.fired) for group in found.groups] == [({"service": "bad"}, 1), ({"service": "calm"}, 0)]


def test_a_baseline_is_that_of_each_time_of_day(web, sender, app, clock):
    """The night's work of each day is no alarm; the same at another time is."""
    end_s = int(clock.now.timestamp())
    found = []
    for day in range(6):
        for slot in range(-150, 71 if day else 1, 10):
            heavy = day > 0 and slot > -60  # from half an hour ago on, each day but today
            found += spans(end_s - day * 86_400 + slot * SLOT_S - 20, 30 if heavy else 3)
    found += spans(end_s - 140 * SLOT_S + 5, 40)
    sender.spans("shop", *found, received=clock.now)
    wanted = rule(
        app,
        what={"kind": "statistic", "statistic": "requests", "service": "shop"},
        window_s=300,
        condition={"baseline": {"periods": 5, "k": 3, "floor": 5, "floor_ratio": 0.1}},
    )

    tested = backtest(web, wanted, at(end_s - 145 * SLOT_S), at(end_s))

    (group,) = tested.groups
    assert [interval.started_at <= at(end_s - 135 * SLOT_S) for interval in group.intervals] == [True]
    by_time = {point.time: point.threshold for point in group.series if point.threshold is not None}
    assert by_time[max(by_time)] > 2 * by_time[min(by_time)]


def test_silence_and_missing_data_are_judged_too(web, sender, app, start_s):
    sent(sender, start_s, [10.0, 10.0, *[None] * 10, 10.0])
    silent = rule(
        app, what={"kind": "no_data", "signal": "requests"}, group_by=["service"], condition={"threshold": 120}
    )

    found = backtest(web, silent, at(start_s), at(start_s + 14 * SLOT_S))

    (interval,) = found.groups[0].intervals
    assert interval.started_at == at(start_s + 7 * SLOT_S)
    assert interval.ended_at == at(start_s + 13 * SLOT_S)
    assert interval.peak == 300.0


def test_the_suggested_threshold_is_not_reached_by_what_is_usual(web, sender, app, start_s):
    usual = [100.0 + n % 7 for n in range(90)]
    sent(sender, start_s, [*usual, 900.0])
    wanted = rule(
        app,
        what={"kind": "statistic", "statistic": "average_ms", "service": "shop"},
        window_s=30,
        condition={"threshold": 100},
    )

    found = backtest(web, wanted, at(start_s), at(start_s + 91 * SLOT_S))

    assert found.fired > 5
    assert found.suggestion.fired <= 1
    assert max(usual) < found.suggestion.threshold <= 900
    assert 100 <= found.suggestion.recovery_threshold < found.suggestion.threshold
    low = wanted.document.model_copy(update={"condition": wanted.document.condition.model_copy(update={"op": "<"})})
    assert suggest(usual, low).threshold < min(usual)
    assert suggest(usual[:5], wanted.document) is None


def test_fourteen_days_are_looked_at_in_steps_that_can_be_afforded(web, sender, app, start_s):
    requests(sender, start_s, 4)
    asked = {"kind": "statistic", "statistic": "p99_ms", "service": "shop"}

    coarse = backtest(web, rule(app, what=asked, window_s=3600), at(start_s) - timedelta(days=13), at(start_s + 3600))
    fine = backtest(
        web,
        rule(app, what=asked | {"statistic": "errors"}, window_s=300),
        at(start_s) - timedelta(days=13),
        at(start_s + 3600),
    )

    assert (coarse.step_s, fine.step_s) == (300, 30)
    assert len(fine.groups[0].series) <= 720


def test_what_cannot_be_computed_is_said(web, app, start_s):
    wanted = rule(app, what={"kind": "promql", "query": "max_over_time(up[5m:1m])"})

    with pytest.raises(ProblemError, match="subquery"):
        backtest(web, wanted, at(start_s), at(start_s + 3600))

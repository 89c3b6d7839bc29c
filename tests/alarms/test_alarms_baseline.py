"""What is usual at this time of day."""

import random

import pytest
from making import document, rule, spans

from sonde.server.alarms import baseline
from sonde.server.alarms.thresholds import Baselines
from sonde.server.reports.alarms import AlarmBaseline

DAY_S = 86_400


def test_the_threshold_is_the_median_and_so_many_robust_deviations():
    wanted = AlarmBaseline(k=3, floor_ratio=0)
    days = [[100.0, 110.0], [90.0], [105.0, 95.0]]

    assert baseline.threshold(wanted, days, above=True) == pytest.approx(100 + 3 * 1.4826 * 5)
    assert baseline.threshold(wanted, days, above=False) == pytest.approx(100 - 3 * 1.4826 * 5)


def test_one_mad_day_does_not_move_it():
    wanted, dice = AlarmBaseline(k=4), random.Random(1)
    calm = [[dice.gauss(100, 5) for _ in range(13)] for _ in range(6)]

    usual = baseline.threshold(wanted, [*calm, [100.0] * 13], above=True)
    after_a_fire = baseline.threshold(wanted, [*calm, [5000.0] * 13], above=True)

    assert after_a_fire == pytest.approx(usual, rel=0.1)


def test_values_that_never_differ_leave_room_by_the_floors():
    days = [[100.0] * 3] * 4

    assert baseline.threshold(AlarmBaseline(k=2, floor_ratio=0.1), days, above=True) == pytest.approx(120)
    assert baseline.threshold(AlarmBaseline(k=2, floor_ratio=0, floor=30), days, above=True) == pytest.approx(160)


def test_two_days_say_nothing():
    assert baseline.threshold(AlarmBaseline(), [[1.0], [1.0], [], []], above=True) is None


def test_the_windows_are_those_around_the_same_time_of_past_days():
    ends = baseline.window_ends(AlarmBaseline(periods=3), 10 * DAY_S)

    assert [day[0] for day in ends] == [(10 - n) * DAY_S - 1800 for n in (1, 2, 3)]
    assert [day[-1] for day in ends] == [(10 - n) * DAY_S + 1800 for n in (1, 2, 3)]
    assert {len(day) for day in ends} == {13}


def test_a_live_baseline_is_read_from_the_store(web, sender, app, clock):
    now_s = int(clock.now.timestamp())
    past = []
    for day, count in ((1, 10), (2, 12), (3, 14), (4, 11)):
        for minute in range(-35, 31, 5):
            past += spans(now_s - day * DAY_S + minute * 60, count)
        past += spans(now_s - day * DAY_S + 7200, 500)  # at another time of day
    sender.spans("shop", *past, received=clock.now)
    wanted = rule(
        app,
        what={"kind": "statistic", "statistic": "requests", "service": "shop"},
        window_s=300,
        condition={"baseline": {"periods": 4, "k": 2, "floor_ratio": 0}},
    )
    baselines = Baselines(lambda _: 500)

    found = baselines.thresholds(web, [wanted], now_s)[wanted.id][()]

    assert found == pytest.approx(11.5 + 2 * 1.4826 * 1.0, abs=1.5)
    assert baselines.thresholds(web, [wanted], now_s + 30)[wanted.id][()] == found
    assert document(condition={"baseline": {}}).condition.threshold is None

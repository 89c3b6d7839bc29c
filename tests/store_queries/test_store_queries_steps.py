from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.server.insight.steps import Steps

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "step_s"),
    [(1, 30), (15, 30), (60, 180), (24 * 60, 3600), (7 * 24 * 60, 21_600), (90 * 24 * 60, 259_200)],
)
def test_a_longer_time_has_longer_steps(minutes, step_s):
    assert Steps.over(START, START + timedelta(minutes=minutes), points=30).step_s == step_s


@pytest.mark.parametrize(("hours", "step_s"), [(12, 180), (13, 900), (24, 900), (14 * 24, 7200)])
def test_more_than_half_a_day_is_cut_into_steps_of_long_slots(hours, step_s):
    assert Steps.over(START, START + timedelta(hours=hours), points=240).step_s == step_s


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 86_400 * 100),
    st.sampled_from([30, 60, 120]),
)
def test_steps_cover_the_time_without_gap(start, seconds, points):
    steps = Steps.over(start, start + timedelta(seconds=seconds), points=points)
    times = list(steps.times())

    assert steps.step_s % 30 == 0
    assert steps.step_s < 180 or steps.step_s % 180 == 0
    assert len(times) <= points + 2
    assert steps.start <= start < steps.start + timedelta(seconds=30)
    assert sum(steps.covered_s(time) for time in times) == pytest.approx(steps.seconds)
    assert all(0 < steps.covered_s(time) <= steps.step_s for time in times)


def test_the_step_that_is_still_running_says_how_much_of_it_is_counted():
    steps = Steps.over(START, START + timedelta(seconds=70), points=30)

    assert [steps.covered_s(time) for time in steps.times()] == [30, 30, 10]

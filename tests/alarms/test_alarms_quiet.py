"""When nobody is told, and which names a pattern takes."""

from datetime import UTC, datetime

import pytest

from sonde.server.alarms.matching import pattern, takes
from sonde.server.alarms.suppression import is_quiet
from sonde.server.reports.alarms import AlarmQuietHours


@pytest.mark.parametrize(
    ("time", "quiet"),
    [
        ("2026-11-20T13:59:00", False),  # Friday 21:59 in Shanghai
        ("2026-11-20T14:00:00", True),
        ("2026-11-20T21:59:59", True),  # Saturday 05:59: the night that began on Friday
        ("2026-11-20T22:00:00", False),
        ("2026-11-21T14:00:00", False),  # Saturday evening is not said
        ("2026-11-19T21:00:00", False),  # Friday 05:00: the night that began on Thursday
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(time, quiet):
    hours = AlarmQuietHours(days=["fri"], start="22:00", end="06:00", time_zone="Asia/Shanghai")

    assert is_quiet(hours, datetime.fromisoformat(time).replace(tzinfo=UTC)) is quiet


@pytest.mark.parametrize(("time", "quiet"), [("11:30", True), ("10:30", False), ("12:00", False)])
def test_quiet_hours_follow_the_clock_on_the_wall_when_it_changes(time, quiet):
    """On the day on which Berlin's clock goes back, 12:00 there is 11:00 UTC; the day before it was 10:00."""
    hours = AlarmQuietHours(days=["sun"], start="12:00", end="13:00", time_zone="Europe/Berlin")

    assert is_quiet(hours, datetime.fromisoformat(f"2026-10-25T{time}:00").replace(tzinfo=UTC)) is quiet


def test_a_star_stands_for_anything_and_nothing_else_does():
    assert pattern("shop-*")("shop-a")
    assert pattern("*")("")
    assert pattern("a*b*c")("a--b--b--c")
    assert not pattern("a*b*c")("a--c--b")
    assert not pattern("shop.*")("shop-a")
    assert not pattern("shop")("shop-a")
    assert takes({"service": "sh*"}, {"service": "shop", "host": "h"})
    assert not takes({"host": "*"}, {"service": "shop"})


def test_many_stars_cost_no_more_than_a_few():
    """It would take years if each star gave back what it took."""
    assert not pattern("*a" * 40 + "b")("a" * 2000)

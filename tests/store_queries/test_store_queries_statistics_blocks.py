"""The day that people mean, in blocks, wherever they are and whatever their clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.server.insight.time_blocks import BLOCK_S, Day, UnknownZoneError, block_of, slot_of, zone

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Havana",
    "Africa/Cairo",
]


@pytest.mark.parametrize(
    ("place", "day", "blocks"),
    [
        ("Europe/Berlin", date(2026, 11, 21), 480),
        ("Europe/Berlin", date(2026, 3, 29), 460),
        ("Europe/Berlin", date(2026, 10, 25), 500),
        ("America/New_York", date(2026, 3, 8), 460),
        ("America/New_York", date(2026, 11, 1), 500),
        ("Australia/Lord_Howe", date(2026, 4, 5), 490),
        ("Australia/Lord_Howe", date(2026, 10, 4), 470),
        ("Asia/Kathmandu", date(2026, 12, 31), 480),
        ("Africa/Cairo", date(2026, 4, 24), 460),  # midnight itself is skipped there
        ("America/Havana", date(2026, 11, 1), 500),  # and is twice there
        ("Pacific/Apia", date(2011, 12, 30), 0),  # a date that never was
    ],
)
def test_a_day_has_the_blocks_that_pass_between_two_midnights(place, day, blocks):
    of = Day.of(day, zone(place))

    found = list(of.blocks())

    assert len(found) == blocks
    assert [block.index for block in found] == list(range(blocks))
    assert all(block.local.date() == day for block in found)


def test_a_day_begins_at_midnight_of_the_place():
    kathmandu = Day.of(date(2027, 1, 1), zone("Asia/Kathmandu"))
    assert kathmandu.start == datetime(2026, 12, 31, 18, 15, tzinfo=UTC)
    assert kathmandu.end == datetime(2027, 1, 1, 18, 15, tzinfo=UTC)
    cairo = Day.of(date(2026, 4, 24), zone("Africa/Cairo"))
    assert next(cairo.blocks()).local.hour == 1


def test_the_last_moment_of_a_year_and_the_first_of_the_next_are_in_different_days_and_blocks():
    last, first = (datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC), datetime(2027, 1, 1, tzinfo=UTC))

    assert block_of(first) == block_of(last) + 1
    assert slot_of(first) == slot_of(last) + 1
    assert Day.at(last, zone("UTC")).date == date(2026, 12, 31)
    assert Day.at(first, zone("UTC")).index_of(first) == 0
    assert Day.at(last, zone("UTC")).index_of(last) == 479


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
def test_every_moment_is_in_one_block_of_one_day(moment, place):
    of = Day.at(moment, zone(place))

    blocks = list(of.blocks())
    block = blocks[of.index_of(moment)]

    assert of.start <= moment < of.end
    assert block.start <= moment < block.start + timedelta(seconds=BLOCK_S)
    assert of.start.timestamp() % BLOCK_S == 0, "blocks line up with local midnight"
    assert Day.of(of.date + timedelta(days=1), zone(place)).start == of.end
    assert moment.astimezone(ZoneInfo(place)).date() == of.date


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Base", "../../etc/passwd", "/etc/localtime", "a" * 300, "x\0y"])
def test_a_place_that_has_no_time_is_refused(name):
    with pytest.raises(UnknownZoneError, match="no time zone"):
        zone(name)

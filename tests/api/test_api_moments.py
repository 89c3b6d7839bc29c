"""Times in requests mean what RFC 3339 and the epoch say, and nothing else is taken for a time."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.server.api.failures import RefusedError
from sonde.server.api.moments import FIRST, LAST, LONGEST_RANGE, parse_moment, time_range

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SECONDS = st.integers(0, 200 * 365 * 86400 * 10**6).map(lambda n: FIRST + timedelta(days=1, microseconds=n))
MOMENTS = st.builds(lambda moment, offset: moment.astimezone(offset), SECONDS, OFFSETS)


@given(MOMENTS)
def test_a_time_written_as_rfc_3339_comes_back(moment):
    assert parse_moment(moment.isoformat()) == moment
    assert parse_moment(moment.isoformat().replace("+00:00", "Z")) == moment


@given(MOMENTS)
def test_a_plus_that_became_a_space_on_the_way_is_still_a_plus(moment):
    assert parse_moment(moment.isoformat().replace("+", " ")) == moment


@given(MOMENTS)
def test_a_time_written_in_milliseconds_comes_back(moment):
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    milliseconds = (exact - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert parse_moment(str(milliseconds)) == exact
    assert parse_moment(milliseconds) == exact


@given(st.text(max_size=40))
def test_other_text_is_refused_and_nothing_worse_happens(text):
    try:
        moment = parse_moment(text)
    except ValueError:
        return
    assert FIRST <= moment <= LAST


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T18:00",
        "2026-11-20T18:00:00",
        "2026-13-20T18:00:00Z",
        "2026-02-30T18:00:00Z",
        "2026-11-20T18:00:00+25:00",
        "2026-W47-5T18:00:00Z",
        "1.5",
        "-1",
        "1e12",
        "0",
        "99999999999999",
        "٢٠٢٦",
    ],
)
def test_what_is_nearly_a_time_is_refused(text):
    with pytest.raises(ValueError, match=r"time|month|day|offset|hour"):
        parse_moment(text)


def test_a_page_without_a_range_is_about_the_last_hour():
    span = asyncio.run(time_range())

    assert span.end - span.start == timedelta(hours=1)
    assert abs(datetime.now(UTC) - span.end) < timedelta(minutes=1)


@pytest.mark.parametrize("width", [timedelta(0), timedelta(seconds=-1), LONGEST_RANGE + timedelta(seconds=1)])
def test_a_range_that_makes_no_sense_names_the_parameter(width):
    end = datetime(2026, 11, 20, tzinfo=UTC)

    with pytest.raises(RefusedError, match=r"^from: ") as refused:
        asyncio.run(time_range(from_=end - width, to=end))

    assert refused.value.status == 400

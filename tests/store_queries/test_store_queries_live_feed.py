"""What viewers of the live view are told, from readings that are made by hand."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from live_making import T0, at, reading, row, sums

from sonde.server.insight import live_feed
from sonde.server.insight.live_feed import Feed
from sonde.server.insight.live_filter import LiveFilter

EVERYTHING = LiveFilter()


class Seen:
    """A viewer of `feed`."""

    def __init__(self, feed: Feed, wish: LiveFilter = EVERYTHING) -> None:
        self.feed, self.wish, self.number = feed, wish, None

    def news(self) -> list[tuple[str, dict]]:
        """(event, data) since the last call."""
        found = self.feed.since(self.number, self.wish)
        self.number = found.number
        parsed = []
        for event in found.events:
            name, data, *_ = event.decode().split("\n")
            parsed.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return parsed


@pytest.fixture
def feed() -> Feed:
    return Feed(("a",))


def step(feed: Feed, seconds: float, *of) -> None:
    """A reading at that time."""
    feed.take(feed.question(at(seconds)), *of)


def points(said: dict) -> list[tuple[str, int]]:
    return [(point["time"][-3:-1], point["requests"]) for point in said["series"]]


def ids(said: dict) -> list[int]:
    return [int(found["trace_id"], 16) for found in said["tail"]["rows"]]


def test_the_first_event_is_everything_and_the_next_only_what_is_otherwise(feed):
    viewer = Seen(feed)
    assert viewer.news() == []
    step(feed, 10, reading({3: sums(2), 8: sums(1)}, row(1, 8.2)))
    ((kind, whole),) = viewer.news()
    assert (kind, points(whole), ids(whole)) == ("whole", [("03", 2), ("08", 1)], [1])

    step(feed, 11, reading({8: sums(4), 10: sums(2)}, row(1, 8.2), row(2, 10.5), row(3, 10.7)))
    ((kind, change),) = viewer.news()

    assert (kind, points(change), ids(change)) == ("change", [("08", 4), ("10", 2)], [2, 3])
    assert change["tail"]["unread"] == 3, "five came since, two of them are listed"
    assert viewer.news() == []


def test_the_whole_window_is_asked_for_once_and_then_the_last_seconds(feed):
    assert feed.question(at(0)).start == T0 - timedelta(minutes=15)
    step(feed, 0, reading({}))
    assert feed.question(at(1)).start == T0 - timedelta(seconds=10)


def test_a_service_that_somebody_watches_is_asked_for_from_the_start_of_the_window(feed):
    step(feed, 0, reading({-5: sums(3)}))
    feed.watched["stock"] = 1
    viewer = Seen(feed, LiveFilter(service="stock"))
    assert viewer.news() == [], "its past is not known yet"

    question = feed.question(at(1))
    assert (question.services, question.start) == ({"stock"}, at(1) - timedelta(minutes=15))
    feed.take(question, reading({-5: sums(3)}, stock={-5: sums(1)}))

    ((_, whole),) = viewer.news()
    assert [point["requests"] for point in whole["series"]] == [1]
    assert feed.question(at(2)).start == at(1) - timedelta(seconds=10)


def test_seconds_leave_the_window_and_services_nobody_watches_are_forgotten(feed):
    feed.watched["stock"] = 1
    step(feed, 0, reading({-1: sums(1)}, stock={-1: sums(1)}))
    del feed.watched["stock"]
    step(feed, 16 * 60, reading({}))

    ((_, whole),) = Seen(feed).news()

    assert whole["series"] == []
    assert Seen(feed, LiveFilter(service="stock")).news() == []


def test_filters_are_about_the_listed_requests(feed):
    viewer = Seen(feed, LiveFilter(min_ms=50, error=True, text="CART"))
    step(feed, 0, reading({}))
    viewer.news()
    rows = [
        row(1, 0.1, ms=80, error=True, endpoint="GET /cart"),
        row(2, 0.2, ms=20, error=True, endpoint="GET /cart"),
        row(3, 0.3, ms=80, endpoint="GET /cart"),
        row(4, 0.4, ms=80, error=True),
        row(5, 0.5, ms=50, error=True, service="cart"),
    ]
    step(feed, 1, reading({0: sums(5, errors=4)}, *rows))

    ((_, change),) = viewer.news()

    assert ids(change) == [1, 5]
    assert points(change) == [("00", 5)], "the charts are of all"


@pytest.mark.parametrize(
    ("text", "found"),
    [("0000ff", True), ("503", True), ("orders-1", True), ("ORDERS", True), ("%", False), ("get / orders", False)],
)
def test_text_is_looked_for_in_names_ids_and_the_status(text, found):
    assert LiveFilter(text=text).matches(row(255, 1, status_code=503)) is found


def test_of_too_many_at_once_the_newest_are_shown_and_the_others_counted(feed):
    viewer = Seen(feed)
    step(feed, 0, reading({}))
    viewer.news()
    step(feed, 1, reading({0: sums(80)}, *(row(number, number / 100) for number in range(80))))

    ((_, change),) = viewer.news()

    assert ids(change) == list(range(30, 80))
    assert (change["tail"]["more"], change["tail"]["unread"]) == (30, 0)


def test_who_falls_behind_gets_the_newest_whole(feed):
    viewer = Seen(feed)
    step(feed, 0, reading({}))
    viewer.news()
    for second in range(1, live_feed.KEPT_STEPS + 1):
        step(feed, second, reading({second: sums(1)}))
    assert [kind for kind, _ in viewer.news()] == ["change"] * live_feed.KEPT_STEPS

    for second in range(10, 11 + live_feed.KEPT_STEPS):
        step(feed, second, reading({second: sums(1)}))
    found = feed.since(viewer.number, EVERYTHING)

    assert found.skipped
    assert [event.split(b"\n")[0] for event in found.events] == [b"event: whole"]
    assert found.number == feed.number


def test_viewers_with_the_same_filter_are_told_the_same_bytes(feed):
    one, two = Seen(feed), Seen(feed)
    step(feed, 0, reading({}))
    for viewer in (one, two):
        viewer.news()
    step(feed, 1, reading({0: sums(1)}))

    assert feed.since(one.number, EVERYTHING).events[0] is feed.since(two.number, LiveFilter()).events[0]


def test_while_the_store_is_away_viewers_hear_it_and_afterwards_all_that_they_missed(feed):
    viewer, newcomer = Seen(feed), Seen(feed)
    step(feed, 0, reading({}))
    viewer.news()
    for second in range(1, 61):
        feed.fail(at(second), "unavailable", "the store does not answer")
        ((kind, trouble),) = viewer.news()
    assert (kind, trouble["code"], trouble["time"]) == ("trouble", "unavailable", "2026-11-21T12:01:00Z")
    assert [kind for kind, _ in newcomer.news()] == ["whole"], "what was known before"

    question = feed.question(at(61))
    assert question.start <= at(0) - live_feed.REVISED + timedelta(seconds=1)
    feed.take(question, reading({5: sums(1), 59: sums(2)}))

    assert points(viewer.news()[0][1]) == [("05", 1), ("59", 2)]


def test_a_viewer_who_comes_while_the_store_is_away_hears_why_there_is_nothing(feed):
    viewer = Seen(feed)
    feed.fail(at(0), "unavailable", "the store does not answer")
    assert [kind for kind, _ in viewer.news()] == ["trouble"]
    step(feed, 1, reading({0: sums(1)}))
    assert [kind for kind, _ in viewer.news()] == ["whole"]


def test_behind_is_how_old_the_newest_request_was_when_it_came_and_silence_does_not_age_it(feed):
    viewer = Seen(feed)
    step(feed, 1, reading({}, row(1, 0.2)))
    assert viewer.news()[0][1]["behind_ms"] == pytest.approx(800)
    step(feed, 31, reading({}, row(1, 0.2)))
    assert viewer.news()[0][1]["behind_ms"] == pytest.approx(800)


def test_nothing_grows_with_the_traffic_or_with_time(feed):
    for second in range(1200):
        step(feed, second, reading({second: sums(900)}, *(row(second * 5 + n, second) for n in range(5))))

    assert len(feed._series[None]) <= 901
    assert len(feed._recent) == live_feed.KEPT_ROWS
    assert len(feed._seen) == 5
    assert len(feed._steps) == live_feed.KEPT_STEPS

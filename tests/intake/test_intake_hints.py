"""Hints: what a person hears of senders that are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from intake_world import APP, Sender, traces

from sonde.server.intake.hints import LONGEST_SUBJECT, LONGEST_TEXT, MOST_SUBJECTS, Hints

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 11, 20, tzinfo=UTC)


def clock() -> Callable[[], datetime]:
    """A second later each time."""
    times = (START + timedelta(seconds=number) for number in range(10_000))
    return lambda: next(times)


def test_the_same_thing_again_is_counted_and_keeps_when_it_began() -> None:
    hints = Hints(clock())
    hints.note("xtransit", "wrong_secret", "agent web-1", "signs with a wrong secret", "app3")
    hints.note("otlp_http", "unauthenticated", "10.0.0.5", "no token")
    hints.note("xtransit", "wrong_secret", "agent web-1", "signs with a wrong secret still", "app3")

    newest, other = hints.seen_by(None)

    assert (newest.subject, newest.text, newest.count) == ("agent web-1", "signs with a wrong secret still", 2)
    assert (newest.first_seen, newest.last_seen) == (START, START + timedelta(seconds=2))
    assert (other.subject, other.count) == ("10.0.0.5", 1)


def test_a_hint_says_which_sentence_it_is_and_what_stands_in_it() -> None:
    hints = Hints(clock())
    hints.note("xtransit", "clock_skew", "web-1", "fast", "app3", code="clock_fast", who="web-1", minutes=4)
    hints.note("xtransit", "clock_skew", "web-1", "slow", "app3", code="clock_slow", who="w" * 1000, minutes=3)

    (hint,) = hints.seen_by(None)

    assert (hint.code, hint.values) == ("clock_slow", {"who": "w" * LONGEST_TEXT, "minutes": "3"})


def test_who_may_see_some_apps_sees_their_hints_alone() -> None:
    hints = Hints(clock())
    hints.note("xtransit", "wrong_secret", "a", "", "app1")
    hints.note("xtransit", "wrong_secret", "b", "", "app2")
    hints.note("xtransit", "unknown_app", "c", "")

    assert [hint.subject for hint in hints.seen_by(["app2"])] == ["b"]
    assert [hint.subject for hint in hints.seen_by([])] == []
    assert [hint.subject for hint in hints.seen_by(None)] == ["c", "b", "a"]


def test_strangers_cannot_make_it_grow() -> None:
    hints = Hints(clock())
    for number in range(MOST_SUBJECTS + 50):
        hints.note("otlp_http", "unauthenticated", f"{number}" + "x" * 1000, "y" * 1000)
        hints.note("otlp_http", "unauthenticated", "the one that comes again", "")

    kept = hints.seen_by(None)
    assert len(kept) == MOST_SUBJECTS
    assert kept[0].subject == "the one that comes again"
    assert kept[-1].subject.startswith("51x")
    assert (len(kept[-1].subject), len(kept[-1].text)) == (LONGEST_SUBJECT, LONGEST_TEXT)
    assert list(hints.samples()) == [
        ("sonde_connect_hints_total", {"protocol": "otlp_http", "reason": "unauthenticated"}, 2 * (MOST_SUBJECTS + 50))
    ]


def test_threads_lose_no_count() -> None:
    hints = Hints(lambda: START)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: hints.note("skywalking", "no_token", f"{number % 4}", ""), range(4000)))

    assert [hint.count for hint in hints.seen_by(None)] == [1000] * 4


def test_a_wrong_token_an_unknown_address_and_a_bad_body_are_hints(sender: Sender, hints: Hints) -> None:
    sender.post(traces(1), authorization="Bearer wrong", user_agent="some-sdk/1.2")
    sender.post(traces(1), "/v1/spans")
    sender.post(b"\xff not protobuf")
    assert sender.post(traces(1)).status == 200

    body, path, token = hints.seen_by(None)

    assert (token.protocol, token.reason, token.app) == ("otlp_http", "unauthenticated", "")
    assert "some-sdk/1.2" in token.text
    assert (token.code, token.values["who"], token.values["called"]) == ("refused", "some-sdk/1.2", "/v1/traces")
    assert token.text.endswith(token.values["said"])
    assert "/v1/traces" in token.text
    assert (path.reason, path.app) == ("unknown_path", APP)
    assert "/v1/spans" in path.text
    assert body.app == APP
    assert [hint.reason for hint in hints.seen_by([APP])] == [body.reason, "unknown_path"]


def test_a_refusal_that_passes_by_itself_is_no_hint(sender: Sender, hints: Hints) -> None:
    assert sender.post(b"", method="GET").status == 405

    assert hints.seen_by(None) == []

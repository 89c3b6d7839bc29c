"""What accounts remember in memory stays within bounds, whatever is asked."""

import pytest

from sonde.server.accounts.errors import TooManyAttemptsError
from sonde.server.accounts.recent import Recent
from sonde.server.accounts.throttle import Throttle


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_value_is_looked_up_again_when_it_is_old():
    seconds, asked = Seconds(), []
    recent = Recent(5.0, 10, seconds)

    def look_up():
        asked.append(seconds.now)
        return len(asked)

    assert [recent.get("key", look_up) for _ in range(3)] == [1, 1, 1]
    seconds.now = 5.0
    assert recent.get("key", look_up) == 2
    recent.forget("key")
    assert recent.get("key", look_up) == 3


def test_what_failed_to_be_looked_up_is_not_remembered():
    recent = Recent(5.0, 10, Seconds())

    with pytest.raises(LookupError):
        recent.get("key", lambda: {}["key"])

    assert not recent.known("key")


def test_the_oldest_entries_make_room():
    seconds = Seconds()
    recent = Recent(5.0, 100, seconds)
    for number in range(1000):
        recent.get(number, lambda: None)

    assert len(recent) == 100
    assert recent.known(999)
    assert not recent.known(0)


def test_a_throttle_forgets_after_its_window_and_on_success():
    seconds = Seconds()
    throttle = Throttle(2, 60.0, seconds)
    throttle.failed("key")
    throttle.check("key")
    throttle.failed("key")
    with pytest.raises(TooManyAttemptsError) as refused:
        throttle.check("key")
    assert refused.value.retry_after_s == 60

    seconds.now = 60.0
    throttle.check("key")
    throttle.failed("key")
    throttle.succeeded("key")
    throttle.failed("key")

    throttle.check("key")


def test_failures_long_ago_do_not_add_up():
    seconds = Seconds()
    throttle = Throttle(2, 60.0, seconds)
    for minute in range(10):
        seconds.now = minute * 61.0
        throttle.failed("key")

        throttle.check("key")


def test_a_throttle_remembers_a_bounded_number_of_keys():
    throttle = Throttle(2, 60.0, Seconds(), most=100)
    for number in range(1000):
        throttle.failed(number)

    assert len(throttle) == 100

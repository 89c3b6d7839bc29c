"""The one function that judges: samples in, states out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonde.server.alarms.condition import Condition, Sample, Standing, advance, event_between, standings

SLOT_S = 30


def samples(*values, threshold=10.0, recovery=None):
    return [Sample(SLOT_S * n, value, threshold, recovery) for n, value in enumerate(values)]


def states(condition, *values, **said):
    short = {"ok": "o", "pending": "p", "firing": "F", "recovering": "r", "no_data": "n"}
    return "".join(short[standing.state] for standing in standings(condition, samples(*values, **said)))


ABOVE = Condition(above=True, inclusive=False)


def test_it_fires_at_once_and_recovers_at_once_unless_told_otherwise():
    assert states(ABOVE, 1, 11, 11, 10, 1) == "oFFoo"
    assert states(Condition(above=True, inclusive=True), 1, 10, 9) == "oFo"
    assert states(Condition(above=False, inclusive=False), 11, 9, 10, 11) == "oFoo"


def test_it_is_pending_until_it_held_for_long_enough():
    condition = Condition(above=True, inclusive=False, for_slots=2)

    assert states(condition, 11, 11, 1, 11, 11, 11, 1) == "ppoppFo"


def test_it_is_recovering_until_it_was_over_for_long_enough():
    condition = Condition(above=True, inclusive=False, recover_slots=2)

    assert states(condition, 11, 1, 1, 11, 1, 1, 1) == "FrrFrro"


def test_between_recovery_and_threshold_what_fires_goes_on_and_what_does_not_does_not_begin():
    assert states(ABOVE, 9, 11, 9, 8, 7, 9, recovery=8.0) == "oFFooo"
    assert states(Condition(above=False, inclusive=False), 9, 11, 12, 13, recovery=12.0) == "FFoo"


def test_without_data_what_fires_goes_on_firing():
    assert states(ABOVE, 1, None, 1, 11, None, None, 1) == "onoFFFo"
    assert states(Condition(above=True, inclusive=False, when_no_data="ok"), 11, None) == "Fo"
    assert states(Condition(above=True, inclusive=False, when_no_data="fire", for_slots=1), None, None) == "pF"


def test_without_a_threshold_nothing_is_judged():
    condition = Condition(above=True, inclusive=False, when_no_data="fire")

    assert states(condition, 11, None, threshold=None) == "nn"


def test_a_longer_step_counts_as_many_slots():
    condition = Condition(above=True, inclusive=False, for_slots=4, step_slots=2)

    assert states(condition, 11, 11, 11, 11) == "ppFF"


def test_the_peak_is_the_worst_since_it_began():
    assert [s.peak for s in standings(ABOVE, samples(11, 15, 12, 1, 13))] == [11, 15, 15, None, 13]


def test_what_comes_and_goes_flaps():
    calm = list(standings(ABOVE, samples(*[1] * 30)))[-1]
    once = list(standings(ABOVE, samples(*[1] * 20, *[11] * 10)))[-1]
    wild = list(standings(ABOVE, samples(*[1, 11] * 20)))[-1]

    assert calm.flap_score == 0
    assert calm.is_forgettable
    assert 0 < once.flap_score < 0.1
    assert wild.flap_score == pytest.approx(1.0)
    assert not wild.is_forgettable


conditions = st.builds(
    Condition,
    above=st.booleans(),
    inclusive=st.booleans(),
    for_slots=st.integers(0, 3),
    recover_slots=st.integers(0, 3),
    when_no_data=st.sampled_from(["no_data", "ok"]),
)
numbers = st.one_of(st.none(), st.integers(0, 20).map(float))


def bad_spells(condition, given_samples):
    """The definition, told another way: (first bad sample, sample it fires at, sample it is over at or None)."""
    spells, first, fired, calm = [], None, None, 0
    for n, sample in enumerate(given_samples):
        if sample.value is None and condition.when_no_data == "no_data":
            if fired is None:
                first = None
            continue
        missing = sample.value is None
        bad = not missing and condition.holds(sample.value, sample.threshold)
        if fired is None:
            first = (n if first is None else first) if bad else None
            bad_so_far = first is not None and sum(
                s.value is not None or condition.when_no_data == "ok" for s in given_samples[first : n + 1]
            )
            if first is not None and bad_so_far > condition.for_slots:
                fired, calm = n, 0
        else:
            over = missing or not (bad or condition.holds(sample.value, sample.recovery))
            calm = calm + 1 if over else 0
            if calm > condition.recover_slots:
                spells.append((fired, n))
                first = fired = None
    return spells + ([(fired, None)] if fired is not None else [])


@settings(max_examples=300, deadline=None)
@given(conditions, st.lists(numbers, max_size=60), st.floats(0, 6))
def test_it_fires_and_recovers_as_the_definition_says(condition, values, hysteresis):
    recovery = 10.0 - hysteresis if condition.above else 10.0 + hysteresis
    given_samples = samples(*values, recovery=recovery)
    found, began, before = [], None, Standing()

    for n, after in enumerate(standings(condition, given_samples)):
        event = event_between(before, after)
        if event == "fired":
            assert began is None
            began = n
        elif event == "recovered":
            found.append((began, n))
            began = None
        before = after

    assert found + ([(began, None)] if began is not None else []) == bad_spells(condition, given_samples)


@settings(max_examples=100, deadline=None)
@given(conditions, st.lists(numbers, max_size=40), st.integers(0, 40))
def test_a_state_that_was_kept_goes_on_as_if_nothing_had_happened(condition, values, at):
    whole = list(standings(condition, samples(*values)))
    kept = whole[at - 1] if 0 < at <= len(whole) else Standing()
    standing, resumed = kept, []

    for sample in samples(*values)[at:]:
        standing = advance(condition, standing, sample)
        resumed.append(standing)

    assert resumed == whole[at:]

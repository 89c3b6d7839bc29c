"""The bytes of a spool file: what is written is read, and nothing that was not written whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sonde.server.spool.entry import Entry, Signal, digest_of, entries
from sonde.server.spool.names import file_name, half_name, sequence_of, signal_of
from sonde.server.spool.seen import Seen


@st.composite
def written(draw: st.DrawFn) -> list[Entry]:
    of = draw(st.sampled_from(Signal))
    parts = st.tuples(st.text(max_size=60), st.integers(0, 2**64 - 1), st.binary(max_size=300))
    return [
        Entry(of, app, received, digest_of(of, app, body), body)
        for app, received, body in draw(st.lists(parts, min_size=1, max_size=5))
    ]


def file_of(some: list[Entry]) -> bytes:
    return b"".join(entry.head() + entry.body for entry in some)


def read(data: bytes, signal: Signal) -> list[Entry]:
    return [
        Entry(signal, e.app, e.received_unix_nano, e.digest, data[e.body_start : e.end])
        for e in entries(memoryview(data), signal, verify=True)
    ]


@given(written())
def test_what_is_written_is_read(some: list[Entry]) -> None:
    assert read(file_of(some), some[0].signal) == some


@given(written())
def test_a_file_torn_at_any_byte_gives_the_entries_before(some: list[Entry]) -> None:
    data = file_of(some)
    ends = [len(file_of(some[: count + 1])) for count in range(len(some))]
    for length in range(len(data)):
        assert read(data[:length], some[0].signal) == some[: sum(end <= length for end in ends)]


@given(written(), st.binary(min_size=1, max_size=200), st.booleans())
def test_rubbish_after_the_last_entry_is_no_entry(some: list[Entry], rubbish: bytes, zeros: bool) -> None:
    tail = bytes(len(rubbish)) if zeros else rubbish
    assert read(file_of(some) + tail, some[0].signal) == some


@given(written(), st.data())
def test_an_entry_with_a_changed_byte_in_its_request_is_not_read(some: list[Entry], data: st.DataObject) -> None:
    content = bytearray(file_of(some))
    last = len(content) - len(some[-1].body)
    if last == len(content):
        return
    content[data.draw(st.integers(last, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    assert read(bytes(content), some[0].signal) == some[:-1]


@given(st.binary(max_size=400), st.sampled_from(Signal), st.booleans())
def test_any_bytes_can_be_read(data: bytes, signal: Signal, verify: bool) -> None:
    for entry in entries(memoryview(data), signal, verify=verify):
        assert 0 <= entry.start < entry.body_start <= entry.end <= len(data)


def test_names_say_what_a_file_is_and_are_never_the_same() -> None:
    first, second = file_name(7, Signal.LOGS), file_name(7, Signal.LOGS)

    assert first != second
    assert (sequence_of(first), signal_of(first)) == (7, Signal.LOGS)
    assert sequence_of("notes.txt") is None


def test_halves_sort_beside_their_original_and_have_the_same_name_each_time() -> None:
    name = file_name(7, Signal.TRACES)

    assert half_name(name, "a") == half_name(name, "a") != half_name(name, "b")
    assert sorted([file_name(8, Signal.TRACES), half_name(name, "b"), name])[2].startswith("000000000008")
    assert signal_of(half_name(half_name(name, "a"), "b")) is Signal.TRACES


def test_a_digest_is_known_for_its_time_and_forgotten_after_twice_that() -> None:
    now = [0.0]
    seen = Seen(keep_s=300, at_most=1000, clock=lambda: now[0])
    seen.add(b"a")
    now[0] = 299
    seen.add(b"b")
    now[0] = 590
    assert b"b" in seen
    now[0] = 900
    assert b"a" not in seen
    now[0] = 1300
    assert b"b" not in seen
    assert len(seen) == 0


def test_remembering_is_bounded_and_the_newest_stay() -> None:
    seen = Seen(keep_s=300, at_most=100, clock=lambda: 0.0)
    for number in range(10_000):
        seen.add(number.to_bytes(4))
        assert len(seen) <= 100
    assert all(number.to_bytes(4) in seen for number in range(9_960, 10_000))

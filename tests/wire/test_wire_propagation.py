"""Headers of callers, of every kind we read: what is right is understood, what is wrong goes nowhere."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.wire import b3, baggage, sw8, traceparent, tracestate

TRACE, SPAN = "463ac35c9f6413ad48485a3953bb6124", "a2fb4a1d1a96d312"

names = st.text(min_size=1, max_size=40)
hex_ids = st.integers(1, (1 << 128) - 1).map(lambda number: f"{number:032x}")
span_ids = st.integers(1, (1 << 64) - 1).map(lambda number: f"{number:016x}")
callers = st.builds(
    sw8.Sw8,
    st.booleans(),
    names.filter(lambda t: t != "0" * 32),
    names,
    st.integers(0, (1 << 31) - 1),
    names,
    names,
    st.text(max_size=40),
    st.text(max_size=40),
)


@given(callers)
def test_an_sw8_that_was_written_is_read_again(caller):
    assert sw8.parse(sw8.written(caller)) == caller


@given(st.text(max_size=300))
def test_no_text_makes_a_parser_raise(text):
    for parse in (
        sw8.parse,
        sw8.parse_correlation,
        b3.parse_single,
        baggage.parse,
        traceparent.parse,
        tracestate.passed_on,
    ):
        parse(text)
    b3.parse_several(lambda _name: text)


@given(callers, st.data())
def test_an_sw8_with_a_field_less_or_more_is_none(caller, data):
    fields = sw8.written(caller).split("-")
    at = data.draw(st.integers(0, 7))
    assert sw8.parse("-".join(fields[:at] + fields[at + 1 :])) is None
    assert sw8.parse("-".join([*fields, "x"])) is None


def field(text):
    return base64.b64encode(text.encode()).decode()


def header(**other):
    fields = {
        "sample": "1",
        "trace": field("t"),
        "segment": field("s"),
        "span": "3",
        "service": field("shop"),
        "instance": field("i"),
        "endpoint": field("/e"),
        "address": field("h:1"),
    }
    return "-".join((fields | other).values())


@pytest.mark.parametrize(
    "broken",
    [
        {"sample": "2"},
        {"sample": ""},
        {"trace": ""},
        {"segment": ""},
        {"service": ""},
        {"instance": ""},
        {"trace": "%%%"},
        {"trace": base64.b64encode(b"\xff\xfe").decode()},
        {"span": "-1"},
        {"span": "x"},
        {"span": ""},
        {"span": "2147483648"},
        {"span": "9" * 500},
        {"span": "٣"},
    ],
    ids=str,
)
def test_an_sw8_that_breaks_a_rule_is_none(broken):
    assert sw8.parse(header()) is not None
    assert sw8.parse(header(**broken)) is None


def test_padding_of_sw8_is_optional():
    assert sw8.parse(header(trace="dA")).trace_id == "t"


def test_what_php_and_python_agents_sent_is_understood():
    php = sw8.parse(
        "1-MS4zMDI0MS4xNzk1MjExNDY1MDAwMg==-MS4zMDI0MS4xNzk1MjExNDY1MDAwMg==-10-ZGVtby1waHA=-"
        "MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAx-L3dvcms=-MTI3LjAuMC4xOjE4MDk5"
    )
    assert php == sw8.Sw8(
        True,
        "1.30241.17952114650002",
        "1.30241.17952114650002",
        10,
        "demo-php",
        "00000000-0000-4000-8000-000000000001",
        "/work",
        "127.0.0.1:18099",
    )
    assert sw8.parse_correlation("azE=:djE=,55So5oi3:YSxiOmM=") == {"k1": "v1", "用户": "a,b:c"}


def test_ids_of_ours_pass_sw8_unchanged_and_others_become_ours_always_the_same_way():
    ours = sw8.Sw8(True, TRACE, SPAN, 0, "a", "b", "", "")
    assert ours.ids() == (bytes.fromhex(TRACE), bytes.fromhex(SPAN))
    theirs = sw8.Sw8(True, "1.2.3", "4.5.6", 7, "a", "b", "", "")
    assert [one.hex() for one in theirs.ids()] == ["b0e8daa258acbb6fc4c86f89e0c9183e", "74595d160b168e92"]
    for other in ({"parent_span": 8}, {"instance": "host-2"}):
        assert theirs._replace(**other).ids()[0] == theirs.ids()[0]
        assert theirs._replace(**other).ids()[1] != theirs.ids()[1]


@given(st.dictionaries(names, st.text(max_size=200), max_size=6))
def test_correlation_keeps_three_values_that_fit(values):
    read = sw8.parse_correlation(sw8.written_correlation(values))
    fitting = {key: value for key, value in values.items() if value and len(value) <= 128}
    assert read == dict(list(fitting.items())[:3])


@given(hex_ids, span_ids, st.integers(0, 1))
def test_b3_that_was_written_is_read_again(trace, span, sampled):
    caller = traceparent.TraceParent(trace, span, sampled)
    assert b3.parse_single(b3.written_single(caller)) == caller
    assert b3.parse_several(dict(b3.written_several(caller)).get) == caller


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{TRACE}-{SPAN}", (TRACE, SPAN, 1)),
        (f"{TRACE}-{SPAN}-0", (TRACE, SPAN, 0)),
        (f"{TRACE}-{SPAN}-d-05e3ac9a4f6e3b90", (TRACE, SPAN, 1)),
        (f"{TRACE[16:]}-{SPAN}-1", ("0" * 16 + TRACE[16:], SPAN, 1)),
        (f"{TRACE.upper()}-{SPAN}-1", (TRACE, SPAN, 1)),
        (f"{TRACE}-{SPAN}-2", None),
        (f"{TRACE}-{SPAN}-1-xyz", None),
        (f"{TRACE[1:]}-{SPAN}", None),
        (f"{'0' * 32}-{SPAN}", None),
        (f"{TRACE}-{'0' * 16}", None),
        ("0", None),
        ("", None),
    ],
)
def test_b3_in_one_header(text, expected):
    assert b3.parse_single(text) == (None if expected is None else traceparent.TraceParent(*expected))


def test_the_debug_flag_of_b3_means_sampled():
    headers = {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "0", "x-b3-flags": "1"}
    assert b3.parse_several(headers.get).flags == 1
    del headers["x-b3-flags"]
    assert b3.parse_several(headers.get).flags == 0


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True),
        st.text(st.characters(codec="utf-8"), max_size=60),
        max_size=20,
    )
)
def test_baggage_that_was_written_is_read_again(values):
    assert baggage.parse(baggage.written(values)) == values


def test_members_of_baggage_that_break_a_rule_are_left_out():
    assert baggage.parse('a=1, b = 2;secret=yes ,c,=d,e=f"g,h i=1,j=%20k') == {"a": "1", "b": "2", "j": " k"}
    assert baggage.parse("a=" + "x" * 9000) == {}
    assert baggage.written({"a\r\nSet-Cookie": "x", "b": "1\r\n2"}) == "b=1%0D%0A2"
    assert len(baggage.written({str(number): "x" * 100 for number in range(100)})) <= 8192


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        (" a=1 ,, b=2\t", "a=1,b=2"),
        ("tenant@system=1", "tenant@system=1"),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a", ""),
        ("a=", ""),
        ("a=\x7f", ""),
        ("a=b=c", ""),
        (",".join(f"k{number}=1" for number in range(33)), ""),
    ],
)
def test_a_tracestate_is_passed_on_whole_or_not_at_all(text, passed):
    assert tracestate.passed_on(text) == passed

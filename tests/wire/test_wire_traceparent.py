"""The traceparent header, by the rules of W3C Trace Context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.wire.traceparent import TraceParent, parse

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def hex_of(digits):
    """Ids that are not all zero, which the rules forbid."""
    return st.text("0123456789abcdef", min_size=digits, max_size=digits).filter(lambda text: set(text) != {"0"})


@given(hex_of(32), hex_of(16), st.integers(0, 255))
def test_what_is_written_is_read(trace_id, span_id, flags):
    assert parse(str(TraceParent(trace_id, span_id, flags))) == (trace_id, span_id, flags)


def test_a_later_version_may_carry_more():
    assert parse(f"cc-{TRACE}-{SPAN}-01-what-comes-later") == (TRACE, SPAN, 1)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\x00",
    ],
)
def test_a_header_that_breaks_a_rule_says_nothing(header):
    assert parse(header) is None


@given(st.text())
def test_no_text_makes_it_raise(header):
    parse(header)

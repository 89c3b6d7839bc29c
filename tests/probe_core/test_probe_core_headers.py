"""What an outgoing request is given, in each of the forms that libraries keep headers in."""

from __future__ import annotations

import base64

import pytest

SELF = base64.b64encode(b"shop") + b"-" + base64.b64encode(b"host:1")
CALLER = (b"\xaa" * 16, b"\xbb" * 8, 1)


class Carried:
    sw8_trace_id = None


@pytest.fixture
def span(core, recording):
    with core.scope(core.operation("GET /orders", core.SERVER)):
        yield core.leaf(core.operation("GET", core.CLIENT))


@pytest.fixture
def written(core):
    yield core.propagate
    core.propagate(True, None, False, None, False)


def decoded(field):
    return base64.b64decode(field, validate=True).decode()


def test_traceparent_is_written_in_every_form(span):
    header = span.traceparent()
    lines, pairs = [b"Host: x"], [(b"Host", b"x")]
    span.into_lines(lines)
    span.into_pairs(pairs)

    assert span.headers() == (("traceparent", header),)
    assert lines[1:] == [b"traceparent: " + header.encode()]
    assert pairs[1:] == [(b"traceparent", header.encode())]


@pytest.mark.parametrize("theirs", [b"traceparent", b"Traceparent", b"TRACEPARENT"])
def test_a_traceparent_of_the_users_keeps_all_of_ours_away(span, written, theirs):
    written(True, SELF, True, None, False)
    lines, pairs = [b"GET / HTTP/1.1", theirs + b": theirs"], [(theirs, b"theirs")]
    span.into_lines(lines)
    span.into_pairs(pairs)
    assert (len(lines), len(pairs)) == (2, 1)


def test_what_only_looks_like_one_does_not(span):
    lines, pairs = [b"traceparents: x", b"traceparent", b""], [(b"x-traceparent", b"")]
    span.into_lines(lines)
    span.into_pairs(pairs)
    assert (len(lines), len(pairs)) == (4, 2)


def test_sw8_names_this_process_the_request_and_the_peer(core, span, written):
    written(False, SELF, True, None, False)
    ((name, value),) = span.headers("cache:6379")

    fields = value.split("-")
    assert (name, fields[0], fields[3]) == ("sw8", "1", "0")
    assert [decoded(fields[at]) for at in (1, 2, 4, 5, 6, 7)] == [
        span.trace_id,
        span.span_id,
        "shop",
        "host:1",
        "GET /orders",
        "cache:6379",
    ]


@pytest.mark.parametrize("name", ["", "a", "ab", "日本語" * 100, "x" * 5000])
def test_sw8_is_whole_base64_whatever_the_names_are(core, span, written, name):
    written(False, SELF, True, None, False)
    core.current().rename(name)
    ((_, value),) = span.headers(name)
    fields = value.split("-")
    assert len(fields) == 8
    assert name.startswith(decoded(fields[6]))
    assert len(value) < 2048


def test_a_trace_that_began_in_skywalking_keeps_its_id_there(core, recording, written):
    written(True, SELF, True, None, False)
    carried = Carried()
    carried.sw8_trace_id = "1.30241.17952114650002"
    with core.scope(core.operation("x", core.SERVER), remote=(*CALLER, carried)) as span:
        leaf = core.leaf(core.operation("y", core.CLIENT))
        assert leaf.carried is span.carried is carried
        assert decoded(dict(leaf.headers())["sw8"].split("-")[1]) == carried.sw8_trace_id
        assert leaf.trace_id == "aa" * 16


def test_sw8_goes_on_where_it_came_in(core, recording, written):
    written(True, SELF, False, None, False)
    carried = Carried()
    with core.scope(core.operation("x", core.SERVER), remote=(*CALLER, carried)) as span:
        assert [name for name, _ in span.headers()] == ["traceparent"]
        carried.sw8_trace_id = ""
        headers = dict(span.headers())
    assert list(headers) == ["traceparent", "sw8"]
    assert decoded(headers["sw8"].split("-")[1]) == "aa" * 16


def test_what_is_not_sampled_says_so(core, recording, written):
    written(True, SELF, True, None, False)
    core.sample(0.0, 0.0, True)
    try:
        headers = dict(core.leaf(core.operation("y", core.CLIENT)).headers())
    finally:
        core.sample(1.0, 0.0, True)
    assert (headers["traceparent"][-2:], headers["sw8"][0]) == ("00", "0")


def test_more_headers_are_asked_for_only_where_something_is_carried(core, span, written):
    asked = []

    def more(asking, peer):
        asked.append((asking, peer))
        return [("tracestate", "a=1")]

    written(True, None, False, more, False)
    assert len(span.headers("p")) == 1
    assert asked == []

    span.carried = Carried()
    assert span.headers("p")[1:] == (("tracestate", "a=1"),)
    assert asked == [(span, "p")]

    span.carried = None
    assert span.carried is None
    written(True, None, False, more, True)
    lines = []
    span.into_lines(lines)
    assert lines[1:] == [b"tracestate: a=1"]


def test_a_remote_without_ids_is_a_new_trace_that_carries_something(core, recording):
    carried = Carried()
    with core.scope(core.operation("x", core.SERVER), remote=(b"", b"", 0, carried)) as span:
        assert span.carried is carried
        assert span.parent_span_id == ""
    assert recording.counted("malformed_headers") == 0


@pytest.mark.parametrize("remote", [(), (b"short", b"b" * 8, 1, None), (b"a" * 16, b"b", 1, None), 5])
def test_a_remote_of_another_form_is_malformed(core, recording, remote):
    core.scope(core.operation("x", core.SERVER), remote=remote).finish()
    assert recording.counted("malformed_headers") == 1
    assert recording.only().parent_span_id == b""

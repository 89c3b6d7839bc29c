from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from otlp_making import CLIENT, INTERNAL, MS, NOW, Sender, Span

from sonde.server.store.queries import attributes, traces
from sonde.server.store.queries.attributes import Condition

START, END = NOW - timedelta(minutes=30), NOW + timedelta(minutes=5)


def ids(number: int) -> bytes:
    return number.to_bytes(8, "big")


def trace_id(app: str) -> bytes:
    return app.encode().rjust(16, b"-")


def requests(count: int, *, first=1, **more) -> list[Span]:
    return [
        Span(start=NOW + number * MS, id=ids(first + number), trace=ids(first + number) * 2, **more)
        for number in range(count)
    ]


def search(web, app, /, **filters):
    return traces.search(web, [app], start=START, end=END, **filters)


def test_the_newest_come_first_and_pages_follow_each_other_without_gap(web, sender, app):
    sender.spans("orders", *requests(7))
    seen, cursor = [], None

    for _ in range(3):
        page = search(web, app, limit=3, cursor=cursor)
        seen += [row.span_id for row in page.items]
        cursor = page.next

    assert seen == [ids(number).hex() for number in range(7, 0, -1)]
    assert cursor is None


def test_spans_that_arrive_meanwhile_shift_no_page(web, sender, app):
    sender.spans("orders", *requests(4))
    first = search(web, app, limit=2)

    sender.spans("orders", Span(start=NOW + 9 * MS, id=ids(100)), Span(start=NOW - 9 * MS, id=ids(101)))
    second = search(web, app, limit=2, cursor=first.next)

    assert [row.span_id for row in second.items] == [ids(2).hex(), ids(1).hex()]
    assert [row.span_id for row in search(web, app, limit=2, cursor=second.next).items] == [ids(101).hex()]


def test_spans_of_the_same_microsecond_are_all_found_once(web, sender, app):
    sender.spans("orders", *[Span(id=ids(number), trace=ids(number) * 2) for number in range(1, 8)])
    seen, cursor = [], None

    while True:
        page = search(web, app, limit=2, cursor=cursor)
        seen += [row.span_id for row in page.items]
        if (cursor := page.next) is None:
            break

    assert sorted(seen) == [ids(number).hex() for number in range(1, 8)]


def test_the_slowest_come_first_when_asked_for(web, sender, app):
    sender.spans("orders", *[Span(id=ids(ms), trace=ids(ms) * 2, ms=float(ms)) for ms in (5, 80, 20)])

    first = search(web, app, order="slowest", limit=2)
    second = search(web, app, order="slowest", limit=2, cursor=first.next)

    assert [row.duration_ms for row in [*first.items, *second.items]] == [80.0, 20.0, 5.0]


@pytest.mark.parametrize("cursor", ["x", "", "W10", "bm90IGpzb24", "WzEsMiwzLDQsNV0"])
def test_a_cursor_that_no_page_gave_is_refused(web, app, cursor):
    if cursor:
        with pytest.raises(traces.BadCursorError):
            search(web, app, cursor=cursor)


def test_a_cursor_belongs_to_the_order_it_came_from(web, sender, app):
    sender.spans("orders", *requests(3))
    cursor = search(web, app, limit=1).next

    with pytest.raises(traces.BadCursorError):
        search(web, app, limit=1, cursor=cursor, order="slowest")


@pytest.fixture(scope="module")
def shop(loader, store_folder):
    """An app with four spans, of which three are requests. For tests that only ask."""
    sender = Sender(loader, store_folder / "spool", "shop-to-search")
    sender.spans(
        "orders",
        Span(id=ids(1), name="GET /a", attributes={"user.id": "u-1", "retries": 1}),
        Span(id=ids(2), name="POST /b", ms=60.0, error=True, attributes={"user.id": "u-2", "retries": 12}),
        service__instance__id="orders-1",
        service__version="1",
    )
    said = {"http.response.status_code": 404, "retries": 0, "empty": "", "text": "a=b"}
    to_db = {"db.system.name": "postgresql", "server.address": "db", "server.port": 5432}
    sender.spans(
        "stock",
        Span(id=ids(3), attributes=said),
        Span(id=ids(4), parent=ids(3), kind=CLIENT, attributes=to_db),
        service__instance__id="stock-1",
        service__version="2",
    )
    return sender.app


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"service": "stock"}, {3}),
        ({"endpoint": "POST /b"}, {2}),
        ({"min_ms": 50}, {2}),
        ({"error": True}, {2}),
        ({"error": False}, {1, 3}),
        ({"min_ms": 10, "max_ms": 10}, {1, 3}),
        ({"status": "404"}, {3}),
        ({"status": "4xx"}, {3}),
        ({"status": "0"}, {1, 2}),
        ({"instance": "stock-1"}, {3}),
        ({"app": "another"}, set()),
        ({"peer": "db:5432"}, set()),
        ({"peer": "db:5432", "any_span": True}, {4}),
        ({"service": "stock", "any_span": True}, {3, 4}),
        ({"service": "o' OR 1=1 --"}, set()),
    ],
)
def test_filters_narrow_the_search(web, shop, filters, found):
    assert {int(row.span_id, 16) for row in search(web, shop, **filters).items} == found


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["user.id=u-1"], {1}),
        (["user.id!=u-1"], {2}),
        (["user.id~U-"], {1, 2}),
        (["user.id?"], {1, 2}),
        (["empty="], {3}),
        (["empty?"], set()),
        (["empty!=x"], set()),
        (["absent="], set()),
        (["absent!=x"], set()),
        (["retries>1"], {2}),
        (["retries>=1"], {1, 2}),
        (["retries<1"], {3}),
        (["retries<=1.5"], {1, 3}),
        (["retries<1e9", "user.id?"], {1, 2}),
        (["user.id>0"], set()),
        (["text=a=b"], {3}),
        (["text=a'b"], set()),
        (["resource.service.version=2"], {3}),
        (["resource.service.version?"], {1, 2, 3}),
        (["resource.service.version=1", "user.id=u-2"], {2}),
        (["%~%"], set()),
    ],
)
def test_conditions_on_attributes_are_all_met(web, shop, conditions, found):
    rows = search(web, shop, attributes=[Condition.parse(text) for text in conditions]).items

    assert {int(row.span_id, 16) for row in rows} == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no-equals-sign", "key=value"),
        ("=value", "key=value"),
        ("", "key=value"),
        ("n>many", "`n>` is followed by a number"),
        ("n<nan", "`n<` is followed by a number"),
        ("n>1_0", "`n>` is followed by a number"),
        ("n?x", "nothing follows `n?`"),
    ],
)
def test_a_condition_that_cannot_be_used_says_why(text, said):
    with pytest.raises(attributes.BadConditionError, match=said.replace("?", r"\?")):
        Condition.parse(text)


def test_what_can_be_searched_for_is_known_from_the_newest_spans(web, sender, app):
    sender.spans(
        "orders",
        *[
            Span(id=ids(number), attributes={"tier": "gold" if number < 3 else "tin", "n": number})
            for number in range(1, 6)
        ],
        Span(id=ids(9), attributes={"long": "x" * 301}),
    )
    sender.spans("stock", Span(id=ids(7), attributes={"shelf": "A"}))

    def keys(service=None):
        return [(one.key, one.spans) for one in attributes.keys(web, [app], service, START, END).items]

    def values(key, contains=""):
        found = attributes.values(web, [app], "orders", key, contains, START, END)
        return [(one.value, one.spans) for one in found.items]

    assert keys() == [("n", 5), ("tier", 5), ("long", 1), ("shelf", 1)]
    assert keys("stock") == [("shelf", 1)]
    assert values("tier") == [("tin", 3), ("gold", 2)]
    assert values("tier", "GO") == [("gold", 2)]
    assert values("long") == values("shelf") == values("tier", "x") == []
    assert attributes.keys(web, ["another"], None, START, END).items == []


def test_only_requests_are_found_not_what_they_do_inside(web, sender, app):
    sender.spans("orders", Span(), Span(id=b"inside..", parent=b"S" * 8, kind=INTERNAL))

    assert [row.kind for row in search(web, app).items] == ["server"]


def test_a_trace_is_drawn_with_all_its_spans(web, sender, app):
    trace = trace_id(app)
    sender.spans(
        "front",
        Span(trace=trace, id=ids(1), ms=100.0, exception=("KeyError", "'id'"), error=True, message="boom"),
        Span(trace=trace, id=ids(2), parent=ids(1), kind=CLIENT, start=NOW + 10 * MS, ms=60.0),
        service__instance__id="front-1",
    )
    sender.spans(
        "stock",
        Span(
            trace=trace,
            id=ids(3),
            parent=ids(2),
            start=NOW + 20 * MS,
            ms=40.0,
            attributes={"n": 0, "ok": False, "text": ""},
            links=((b"L" * 16, b"l" * 8),),
        ),
    )

    found = traces.trace(web, [app], trace.hex())

    assert found is not None
    assert (found.services, found.errors, found.truncated) == (["front", "stock"], 1, False)
    assert (found.start_time, found.duration_ms) == (NOW, 100.0)
    assert [(span.depth, span.offset_ms, span.self_ms) for span in found.spans] == [
        (0, 0, 40),
        (1, 10, 20),
        (2, 20, 40),
    ]
    assert [(stretch.span, stretch.from_ms, stretch.to_ms) for stretch in found.critical_path] == [
        (0, 0, 10),
        (1, 10, 20),
        (2, 20, 60),
        (1, 60, 70),
        (0, 70, 100),
    ]
    root, _, leaf = found.spans
    assert (root.parent_id, root.instance, root.status_message) == ("", "front-1", "boom")
    assert [(event.name, event.offset_ms, event.attributes["exception.type"]) for event in root.events] == [
        ("exception", 1.0, "KeyError")
    ]
    assert leaf.attributes == {"n": "0", "ok": "false", "text": ""}
    assert [(link.trace_id, link.span_id) for link in leaf.links] == [((b"L" * 16).hex(), (b"l" * 8).hex())]


def test_a_trace_of_another_app_is_not_there(web, sender, app):
    trace = trace_id(app)
    sender.spans("orders", Span(trace=trace))

    assert traces.trace(web, ["another"], trace.hex()) is None
    assert traces.trace(web, [app], trace.hex()) is not None
    assert traces.trace(web, [app], "0" * 31 + "9") is None


def test_a_trace_that_came_just_now_is_found_before_its_times_are_kept(web, loader, sender, app):
    young, old = trace_id(app), trace_id(f"old{app}")
    sender.spans("orders", Span(trace=young, start=datetime.now(UTC) - timedelta(minutes=1)))
    sender.spans("orders", Span(trace=old, start=datetime.now(UTC) - timedelta(minutes=20)))
    for trace in (young, old):
        loader.command(
            "ALTER TABLE trace_times DELETE WHERE trace_id_end = toFixedString(unhex({end:String}), 8)"
            " SETTINGS mutations_sync = 1",
            {"end": trace.hex()[16:]},
        )

    assert traces.trace(web, [app], young.hex()) is not None
    assert traces.trace(web, [app], old.hex()) is None


def test_a_trace_that_lasts_over_midnight_is_whole(web, sender, app):
    trace = trace_id(app)
    midnight = NOW.replace(hour=0, minute=0, second=0)
    sender.spans("orders", Span(trace=trace, id=ids(1), start=midnight - 5 * MS, ms=20.0))
    sender.spans("orders", Span(trace=trace, id=ids(2), parent=ids(1), start=midnight + 5 * MS))

    found = traces.trace(web, [app], trace.hex())

    assert found is not None
    assert [span.depth for span in found.spans] == [0, 1]


def test_a_span_that_was_stored_twice_is_drawn_once(web, sender, app):
    trace = trace_id(app)
    for _ in range(2):
        sender.spans("orders", Span(trace=trace))

    found = traces.trace(web, [app], trace.hex())

    assert found is not None
    assert len(found.spans) == 1


def test_of_a_huge_trace_the_earliest_spans_are_drawn(web, sender, app, monkeypatch):
    monkeypatch.setattr(traces, "MOST_SPANS", 100)
    trace = trace_id(app)
    spans = [Span(trace=trace, id=ids(number), start=NOW + number * MS, parent=ids(1)) for number in range(2, 102)]
    sender.spans("orders", Span(trace=trace, id=ids(1)), *spans)

    found = traces.trace(web, [app], trace.hex())

    assert found is not None
    assert (len(found.spans), found.truncated) == (100, True)
    assert found.spans[0].span_id == ids(1).hex()

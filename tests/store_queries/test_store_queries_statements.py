"""Statements and other calls by what they look like: in the store, and as Python makes the same of them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from otlp_making import CLIENT, CONSUMER, MS, NOW, PRODUCER, SERVER, Sender, Span

from sonde.probe.plugins.statement import masked
from sonde.server.insight.duration_steps import ERROR
from sonde.server.insight.fingerprint import LONGEST, folded, shape
from sonde.server.store.queries import (
    consistency,
    long_slots,
    long_statements,
    rollups,
    statement_sums,
    statements,
)
from sonde.server.store.queries.shapes import STATEMENT_SHAPE

START, END = NOW - timedelta(minutes=1), NOW + timedelta(minutes=5)

SHAPES = [
    ("postgresql", "SELECT * FROM t WHERE a = $1 AND b IN ($2,$3, $4)", "SELECT * FROM t WHERE a = ? AND b IN (?)"),
    ("postgresql", "SELECT a -- why\n  FROM t /* because 'it' */ WHERE n = -7", "SELECT a FROM t WHERE n = ?"),
    ("postgresql", "SELECT 'it''s', E'a\\'b', $$x 'y'$$, $q$ a $q$", "SELECT ?, ?, ?, ?"),
    ("postgresql", 'SELECT "t"."id"::int FROM t2', 'SELECT "t"."id"::int FROM t2'),
    ("postgresql", "SELECT x->>'k' FROM t WHERE y @> '{\"a\": 1}'", "SELECT x->>? FROM t WHERE y @> ?"),
    ("postgresql", "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'),\n(3, 'z')", "INSERT INTO t (a, b) VALUES (?)"),
    ("postgresql", "SELECT 'C:\\' , 'secret'", "SELECT ? , ?"),
    ("postgresql", "SELECT 'cut in the mid", "SELECT ?"),
    ("postgresql", 'SELECT a FROM t WHERE "cut in the mid', "SELECT a FROM t WHERE ?"),
    ("postgresql", "SELECT 1.5e-3, 0xFF, .5, 12", "SELECT ?, ?, ?, ?"),
    (
        "mysql",
        "SELECT `a` FROM t2 WHERE a = \"x\\\"y\" AND b = 'it\\'s' # 7\n LIMIT 1, 2;",
        "SELECT `a` FROM t2 WHERE a = ? AND b = ? LIMIT ?, ?",
    ),
    (
        "mysql",
        "UPDATE t SET a=%s, b=%(b)s, c=@v, d=@@sql_mode WHERE e=?",
        "UPDATE t SET a=?, b=?, c=?, d=@@sql_mode WHERE e=?",
    ),
    ("mysql", "/*+ hint */ SELECT 1 /* cut", "SELECT ?"),
    ("", "SELECT \"maybe a name\", 'and \\' a string'", "SELECT ?, ?"),
    (
        "microsoft.sql_server",
        "SELECT [a b] FROM [t] WHERE c = @p1 AND d = N'ö'",
        "SELECT [a b] FROM [t] WHERE c = ? AND d = ?",
    ),
    ("sqlite", "SELECT größe FROM 表 WHERE größe = ?1", "SELECT größe FROM 表 WHERE größe = ?"),
    ("oracle.db", "SELECT a FROM t WHERE b = :name AND c = :2", "SELECT a FROM t WHERE b = ? AND c = ?"),
    (
        "mongodb",
        '{"find": "orders", "filter": {"_id": "é7", "n": {"$in": [1, -2]}}}',
        '{"find": ?, "filter": {"_id": ?, "n": {"$in": [?]}}}',
    ),
    ("elasticsearch", '[{"term": {"user": "ada \\" x"}}', '[{"term": {"user": ?}}'),
    ("redis", "GET user:12", "GET ?"),
    ("redis", "SET k first\nsecond line", "SET ?"),
    ("memcached", "flush_all", "flush_all"),
    ("redis", "\u0001\u0002 odd", "?"),
]


@pytest.mark.parametrize(("system", "statement", "expected"), SHAPES)
def test_a_statement_keeps_its_shape_and_loses_its_values(system, statement, expected):
    assert shape(statement, system) == expected


def test_the_store_and_python_make_the_same_of_a_statement(web):
    """Ordinary ones, what the probe has masked already, and each cut short in its last twenty characters."""
    cases = [(system, text) for system, text, _ in SHAPES]
    cases += [(system, masked(text)) for system, text, _ in SHAPES]
    cases += [(system, text[:-cut]) for system, text, _ in SHAPES for cut in range(1, min(len(text), 20))]
    cases += [("mysql", "SELECT " + "'a', " * LONGEST)]

    rows = web.rows(
        f"""
        SELECT {STATEMENT_SHAPE} FROM (
            SELECT tupleElement(c, 1) AS system, tupleElement(c, 2) AS statement
            FROM (SELECT arrayJoin({{cases:Array(Tuple(String, String))}}) AS c)
        )
        """,  # noqa: S608 - a constant of ours
        {"cases": cases},
    )

    assert [text for (text,) in rows] == [shape(text, system) for system, text in cases]


@pytest.mark.parametrize(("system", "statement", "expected"), SHAPES)
def test_a_shape_is_its_own_shape(system, statement, expected):
    assert shape(expected, system) == expected


def test_spaces_and_capitals_make_no_other_statement():
    ways = ["SELECT a,b FROM t WHERE c=?", "select a, b\nfrom t where c = 7", "Select a , b From t Where c IN  ( 1,2 )"]

    assert len({folded(shape(way, "postgresql")) for way in ways[:2]}) == 1
    assert len({folded(shape(way, "postgresql")) for way in ways}) == 2


def call(number: int, statement: str = "", *, ms: float = 10.0, system: str = "postgresql", **more) -> Span:
    """A call in a request of its own; `number` makes its ids."""
    attributes = {"db.system.name": system, "server.address": "db", **more.pop("attributes", {})}
    if statement:
        attributes["db.query.text"] = statement
    identity = number.to_bytes(8, "big")
    facts = {"kind": CLIENT, "name": "SELECT t", "parent": b"P" * 8, "start": NOW + number * MS, "id": identity}
    return Span(**{**facts, "trace": identity * 2, "ms": ms, "attributes": attributes, **more})


def asked(web, app, *kinds, **more):
    return statements.slow(web, [app], kinds or ["sql"], START, END, **more)


def test_calls_that_differ_in_values_alone_are_one_group(web, sender, app):
    texts = ["SELECT a FROM t WHERE id = 1", "select a from t where id=22", "SELECT a FROM t WHERE id = ?"]
    sender.spans("orders", *[call(n, text, ms=10.0 * n) for n, text in enumerate(texts, start=1)])
    sender.spans(
        "stock", call(7, "SELECT a FROM t WHERE id = $1", ms=100.0, error=True), call(8, "DELETE FROM t", ms=2.0)
    )

    select, delete = asked(web, app).items

    assert (select.calls, select.errors, select.total_ms, select.average_ms) == (4, 1, 160.0, 40.0)
    assert (select.max_ms, select.kind, select.system, select.peers) == (100.0, "sql", "postgresql", ["db"])
    assert select.p95_ms == pytest.approx(100.0, rel=0.2)
    assert select.share == pytest.approx(160 / 162)
    assert select.text.lower() in {"select a from t where id = ?", "select a from t where id=?"}
    assert [(one.service, one.calls, one.total_ms) for one in select.services] == [
        ("stock", 1, 100.0),
        ("orders", 3, 60.0),
    ]
    assert select.trace_id == (7).to_bytes(8, "big").hex() * 2, "of the slowest"
    assert (select.first_seen, select.last_seen) == (NOW + 1 * MS, NOW + 7 * MS)
    assert (delete.text, delete.calls) == ("DELETE FROM t", 1)


def test_each_kind_of_call_is_a_list_of_its_own(web, sender, app):
    http = {"http.request.method": "GET", "url.full": "http://pay:80/orders/77/items?x=1", "server.address": "pay"}
    bare = {"name": "GET", "system": "", "attributes": {**http, "db.system.name": ""}}
    sender.spans(
        "shop",
        call(1, "SELECT 1"),
        call(2, "GET k1", system="redis"),
        call(3, system="redis", name="MGET"),
        call(4, **bare),
        call(5, **{**bare, "attributes": {**bare["attributes"], "url.full": "http://pay:80/orders/8/items"}}),
        call(6, name="shop.Pay/Charge", attributes={"rpc.system": "grpc", "db.system.name": ""}),
        call(7, name="send mail", kind=PRODUCER, attributes={"messaging.system": "kafka", "db.system.name": ""}),
        call(8, name="mail", kind=CONSUMER, attributes={"messaging.system": "kafka", "db.system.name": ""}),
        call(9, name="GET /", kind=SERVER, parent=b""),
    )

    texts = {
        kind: sorted(one.text for one in asked(web, app, kind).items) for kind in ("sql", "cache", "http", "rpc", "mq")
    }

    assert texts == {
        "sql": ["SELECT ?"],
        "cache": ["GET ?", "MGET db"],
        "http": ["GET pay/orders/{id}/items"],
        "rpc": ["shop.Pay/Charge db"],
        "mq": ["mail db", "send mail db"],
    }
    assert {one.kind for one in asked(web, app, "http", "rpc").items} == {"http", "rpc"}


def test_the_order_decides_which_groups_are_told_and_the_rest_is_counted(web, sender, app):
    spans = [call(n, "SELECT often", ms=1.0) for n in range(1, 31)]
    spans += [call(100 + n, "SELECT slowly", ms=20.0) for n in range(3)]
    spans += [call(200, "SELECT once", ms=50.0, error=True)]
    spans += [call(300 + n, f"DROP TABLE t_{'x' * n}", ms=0.5) for n in range(5)]
    sender.spans("orders", *spans)

    def first(order):
        page = asked(web, app, order=order, limit=1)
        return page.items[0].text, page.rest.groups, page.rest.calls, page.rest.errors, page.rest.total_ms

    assert first("total") == ("SELECT slowly", 7, 36, 1, 82.5)
    assert first("count") == ("SELECT often", 7, 9, 1, 112.5)
    assert first("max") == ("SELECT once", 7, 38, 0, 92.5)
    assert first("p95") == ("SELECT once", 7, 38, 0, 92.5)
    everything = asked(web, app)
    assert (len(everything.items), everything.rest.groups, everything.rest.calls) == (8, 0, 0)
    assert sum(one.share for one in everything.items) == pytest.approx(1)


def test_a_service_can_be_asked_for_alone_and_others_apps_are_not_seen(web, sender, app):
    sender.spans("orders", call(1, "SELECT 1", ms=3.0))
    sender.spans("stock", call(2, "SELECT 1", ms=5.0))

    assert [one.total_ms for one in asked(web, app, service="stock").items] == [5.0]
    assert asked(web, app, service="nobody").items == []
    assert asked(web, "another-app").items == []


def test_a_statement_of_a_megabyte_is_cut_and_its_end_makes_no_other_group(web, sender, app):
    long = "SELECT a FROM t WHERE " + "(b = c) OR " * 90_000
    sender.spans("orders", call(1, long + "d = 1"), call(2, long + "e = 2"))

    (group,) = asked(web, app).items

    assert (group.calls, group.text_is_cut, len(group.text)) == (2, True, 4000)
    assert statements.report(web, [app], statements.kind_of(group.id), START, END).group == group


def test_a_group_has_its_series_callers_peers_and_slowest_calls(web, sender, app):
    entries = [
        Span(name=name, id=bytes([n]) * 8, trace=n.to_bytes(16, "big"), start=NOW, ms=500.0)
        for n, name in enumerate(("GET /a", "GET /b", "GET /b"), start=1)
    ]
    calls = [
        call(n, f"SELECT {n}", ms=10.0 * n, trace=n.to_bytes(16, "big"), parent=bytes([n]) * 8, start=NOW + n * MS)
        for n in (1, 2, 3)
    ]
    lonely = call(9, "SELECT 9", ms=1.0, start=NOW + timedelta(seconds=90), attributes={"server.address": "replica"})
    sender.spans("orders", *entries, *calls, lonely, service__instance__id="one")
    (listed,) = asked(web, app).items

    report = statements.report(web, [app], statements.kind_of(listed.id), START, END)

    assert report.group == listed
    assert [(one.service, one.endpoint, one.calls, one.total_ms) for one in report.callers] == [
        ("orders", "GET /b", 2, 50.0),
        ("orders", "GET /a", 1, 10.0),
        ("orders", "", 1, 1.0),
    ]
    assert report.looked_at == 4
    assert [(one.peer, one.calls) for one in report.peers] == [("db", 3), ("replica", 1)]
    assert [one.duration_ms for one in report.slowest] == [30.0, 20.0, 10.0, 1.0]
    assert report.slowest[0].trace_id == (3).to_bytes(16, "big").hex()
    assert sum(point.calls for point in report.series) == 4
    assert [point.max_ms for point in report.series if point.calls] == [30.0, 1.0]
    assert statements.report(web, [app], ("sql", 1), START, END) is None


def test_a_group_of_very_many_statements_has_a_page_too(web, sender, app):
    """Each with a value of its own, as of senders that mask nothing."""
    sender.spans("orders", *[call(n, f"CALL p({n})", ms=1.0) for n in range(1, statements.MOST_KEYS + 50)])
    (listed,) = asked(web, app).items

    report = statements.report(web, [app], statements.kind_of(listed.id), START, END)

    assert report.group == listed
    assert (report.group.text, report.group.calls) == ("CALL p(?)", statements.MOST_KEYS + 49)
    assert report.looked_at == statements.MOST_KEYS + 49


def test_an_id_of_a_group_is_its_kind_and_a_number():
    assert statements.kind_of("sql-00000000000000ff") == ("sql", 255)
    for bad in ("", "sql", "sql-ff", "dns-00000000000000ff", "sql-00000000000000FF", "sql-0000000000000+ff"):
        assert statements.kind_of(bad) is None


@pytest.fixture(scope="module")
def of_the_day(loader, store_folder):
    """Sends as the app of `a_day`."""
    return Sender(loader, store_folder / "spool", "a-day")


@pytest.fixture(scope="module")
def a_day(of_the_day, make_long_slots):
    """Calls of every kind in some hours of a day, made into long slots, and in the last minutes, which are not."""
    dice = random.Random(7)
    spans = []
    for number in range(1, 400):
        start = NOW - timedelta(hours=dice.choice((0, 0.3, 0.7, 7.2, 13, 25.5)), seconds=dice.randrange(600))
        kind = dice.randrange(4)
        said = {"start": start, "ms": dice.lognormvariate(2, 1), "error": dice.random() < 0.1}
        if kind == 0:
            spans.append(call(number, f"ANALYZE t{dice.randrange(5)}a {number}", **said))
        elif kind == 1:
            spans.append(call(number, f"GET k{number}", system="redis", **said))
        elif kind == 2:
            http = {"db.system.name": "", "server.address": f"pay{dice.randrange(3)}"}
            http |= {"http.request.method": "GET", "url.full": f"http://pay/a/{number}"}
            spans.append(call(number, name="GET", system="", attributes=http, **said))
        else:
            queue = {"messaging.system": "kafka", "db.system.name": ""}
            spans.append(call(number, name=f"send {dice.randrange(4)}", kind=PRODUCER, attributes=queue, **said))
    for service in range(4):
        of_the_day.spans(f"shop-{service}", *spans[service::4])
    make_long_slots()
    return of_the_day.app


WHILES = [
    pytest.param(timedelta(hours=26), timedelta(0), marks=pytest.mark.slow),
    (timedelta(hours=13, minutes=7, seconds=3.25), timedelta(minutes=1)),
    (timedelta(minutes=50), timedelta(minutes=13, seconds=0.5)),
    pytest.param(timedelta(minutes=3), timedelta(0), marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("back", "before_now"), WHILES)
def test_long_slots_say_the_same_as_spans(web, a_day, monkeypatch, back, before_now):
    def everything():
        asked_of = [(["sql"], {}), (["cache"], {}), (["http", "rpc"], {}), (["mq"], {})]
        asked_of += [(["sql"], {"order": "count", "limit": 2}), (["sql"], {"service": "shop-1", "order": "max"})]
        lists = [statements.slow(web, [a_day], kinds, start, end, **more) for kinds, more in asked_of]
        ids = [statements.kind_of(lists[number].items[0].id) for number in (0, 2) if lists[number].items]
        return [
            rounded(page) for page in (*lists, *(statements.report(web, [a_day], group, start, end) for group in ids))
        ]

    start, end = NOW - back, NOW - before_now
    read = statement_sums.source(web, ["sql"], "", start, end).sql
    long = everything()
    monkeypatch.setattr(rollups, "LONG_SLOTS_S", ())
    short = everything()

    assert ("statements_long" in read) == (back > timedelta(minutes=30))
    assert long == short


@pytest.mark.parametrize(("back", "before_now"), WHILES)
def test_groups_are_what_counting_the_spans_one_by_one_gives(web, a_day, back, before_now):
    start, end = NOW - back, NOW - before_now
    rows = web.dicts(
        "SELECT service, statement, system, duration_ns, is_error FROM spans WHERE app = {app:String}"
        " AND start_time >= {start:DateTime64(6, 'UTC')} AND start_time < {end:DateTime64(6, 'UTC')}"
        " AND kind = 'client' AND system IN ('postgresql', 'redis')",
        {"app": a_day, "start": start, "end": end},
    )
    expected = defaultdict(list)
    for row in rows:
        expected[row["system"], shape(row["statement"], row["system"])].append(row)

    found = [group for kind in ("sql", "cache") for group in statements.slow(web, [a_day], [kind], start, end).items]

    assert {(group.system, group.text) for group in found} == set(expected)
    for group in found:
        of_group = expected[group.system, group.text]
        durations = sorted(row["duration_ns"] / 1e6 for row in of_group)
        assert group.calls == len(of_group)
        assert group.errors == sum(row["is_error"] for row in of_group)
        assert group.total_ms == pytest.approx(sum(durations))
        assert group.max_ms == durations[-1]
        assert {one.service: one.calls for one in group.services} == Counter(row["service"] for row in of_group)
        rank = 0.95 * len(durations)
        low, high = (durations[min(max(int(rank + by), 0), len(durations) - 1)] for by in (-2, 1))
        assert low * (1 - ERROR) <= group.p95_ms <= high * (1 + ERROR)


def rounded(page):
    """Percentiles of sketches that were merged otherwise, nearly; sums of floats likewise."""
    if isinstance(page, list):
        return [rounded(part) for part in page]
    if hasattr(page, "model_dump"):
        return rounded(page.model_dump())
    if isinstance(page, dict):
        return {
            name: pytest.approx(value, rel=0.03) if name == "p95_ms" and value is not None else rounded(value)
            for name, value in page.items()
        }
    return pytest.approx(page) if isinstance(page, float) else page


def test_calls_that_came_late_are_in_the_slots_that_are_made_again(web, of_the_day, a_day, make_long_slots):
    start, end = NOW - timedelta(hours=26), NOW - timedelta(hours=1)
    before = statements.slow(web, [a_day], ["sql"], start, end)

    late = [call(9000 + n, "SELECT late", ms=3.0, start=NOW - timedelta(hours=n, minutes=5)) for n in (2, 7, 8, 24)]
    of_the_day.spans("shop-1", *late)
    make_long_slots()
    after = statements.slow(web, [a_day], ["sql"], start, end)

    assert {group.text: group.calls for group in after.items} == {
        **{group.text: group.calls for group in before.items},
        "SELECT late": 4,
    }
    assert consistency.compare(web, start, end) == []


def test_of_very_many_ways_to_call_those_that_take_most_time_are_kept_and_the_rest_is_told(
    web, loader, sender, app, make_long_slots, monkeypatch
):
    """Also when what takes most time is another way after some came late."""
    hour = datetime.fromtimestamp(NOW.timestamp() // 21_600 * 21_600 - 21_600, UTC)
    start, end = hour, hour + timedelta(hours=6)
    for name in ("OF_SPANS", "OF_LONG"):
        told = getattr(long_statements, name).replace(f"> {long_statements.MOST_KEPT}", "> 3")
        monkeypatch.setattr(long_statements, name, told)
    monkeypatch.setattr(
        long_slots,
        "_STATEMENTS",
        long_slots._STATEMENTS._replace(of_short=(long_statements.OF_SPANS,), of_long=(long_statements.OF_LONG,)),
    )
    sender.spans("s", *[call(n, f"DROP TABLE t{'x' * n}", ms=n, start=hour + n * MS) for n in range(1, 11)])
    make_long_slots()
    first = statements.slow(web, [app], ["sql"], start, end)
    alone = statements.slow(web, [app], ["sql"], start, end, service="s", limit=1)
    sender.spans("s", call(11, "DROP TABLE txxx", ms=100.0, start=hour + MS, error=True))
    make_long_slots()
    later = statements.slow(web, [app], ["sql"], start, end)

    assert [group.max_ms for group in first.items] == [10.0, 9.0, 8.0]
    assert (first.rest.groups, first.rest.calls, first.rest.total_ms) == (7, 7, 28.0)
    assert (alone.items, alone.rest.calls, alone.rest.groups) == (first.items[:1], 9, 9)
    assert [group.max_ms for group in later.items] == [100.0, 10.0, 9.0]
    assert (later.items[0].calls, later.rest.calls, later.rest.total_ms, later.rest.errors) == (2, 7, 33.0, 0)


@pytest.mark.slow
def test_a_million_different_statements_are_answered_and_counted(web, loader, app):
    """Tables that each have a name of their own, which no shape makes one of: more than are grouped."""
    loader.command(
        """
        INSERT INTO spans (app, service, kind, start_time, duration_ns, trace_id, span_id, system, statement)
        SELECT {app:String}, 's', 'client', {time:DateTime64(6, 'UTC')}, 1000000, unhex(leftPad(hex(number), 32, '0')),
            unhex(leftPad(hex(number), 16, '0')), 'postgresql', concat('SELECT a FROM table_', toString(number), 'x')
        FROM numbers(1000000)
        """,
        {"app": app, "time": NOW},
    )

    page = asked(web, app, limit=10)
    loader.command("DELETE FROM spans WHERE app = {app:String}", {"app": app})  # of so many others learn from a sample

    assert len(page.items) == 10
    assert sum(one.calls for one in page.items) + page.rest.calls == 1_000_000
    assert page.rest.total_ms == pytest.approx(1_000_000 - 10)
    assert page.rest.groups == pytest.approx(1_000_000, rel=0.05)

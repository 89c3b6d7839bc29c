"""Errors by type and place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from otlp_making import CLIENT, INTERNAL, MS, SERVER, SLOT, Span

from sonde.server.store.queries import failures
from sonde.server.store.queries.deploys import learn_runs
from sonde.server.store.queries.places import with_place, without_values
from sonde.wire.protobuf import fixed64, key_value, message, text

START, END = SLOT, SLOT + timedelta(minutes=30)

PYTHON = """Traceback (most recent call last):
  File "/usr/lib/python3.11/concurrent/futures/thread.py", line 58, in run
    result = self.fn(*self.args, **self.kwargs)
  File "/srv/releases/41/shop/orders.py", line 88, in Orders.create
    charge(order)
  File "/srv/releases/41/.venv/lib/python3.11/site-packages/requests/models.py", line 1026, in raise_for_status
    raise HTTPError(http_error_msg, response=self)
requests.exceptions.HTTPError: 502 Server Error
"""
JAVA = """com.shop.OrderException: cannot order
\tat org.springframework.web.Dispatcher.doDispatch(Dispatcher.java:12)
\tat com.shop.web.OrderController.create(OrderController.java:41)
Caused by: java.sql.SQLException: timeout
\tat com.mysql.cj.jdbc.Connection.execute(Connection.java:99)
\tat app//com.shop.db.OrderStore$$EnhancerBySpringCGLIB$$1a2b.lambda$save$7(OrderStore.java:77)
\tat java.base/java.lang.Thread.run(Thread.java:840)
\t... 12 more
"""
NODE = """TypeError: Cannot read properties of undefined (reading 'id')
    at Object.<anonymous> (node:internal/modules/cjs/loader:1105:14)
    at /srv/app/node_modules/express/lib/router/layer.js:95:5
    at async Orders.create (/srv/app/src/orders.js:10:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
"""
PHP = """PDOException: gone away in /var/www/vendor/db/Pdo.php:12
Stack trace:
#0 /var/www/vendor/db/Pdo.php(12): PDO->query('SELECT 1')
#1 /var/www/src/Shop/Orders.php(41): Db\\Pdo->run('SELECT secret')
#2 [internal function]: Shop\\Orders->create(Array)
#3 {main}
"""
NEITHER = "Error: odd\nin some place"
LIBRARY_ONLY = """Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 1, in trace_task
ValueError: x
"""


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        (PYTHON, "shop/orders.py in Orders.create"),
        (PYTHON.replace("/", "\\").replace('"\\srv', '"C:\\srv'), "shop\\orders.py in Orders.create"),
        (JAVA, "com.shop.db.OrderStore.lambda$save"),
        (JAVA.partition("Caused")[0], "com.shop.web.OrderController.create"),
        (NODE, "src/orders.js in Orders.create"),
        ("E: x\n    at file:///srv/app/main.mjs:3:9\n", "app/main.mjs"),
        ("E: x\n    at new Order (C:\\app\\order.js:3:9)\n", "app\\order.js in new Order"),
        (PHP, "Shop/Orders.php at Db\\Pdo->run"),
        ("X: y\n  at System.Run()\n  at Shop.Orders.Create(Int32 id) in /src/Orders.cs:line 12", "Shop.Orders.Create"),
        (LIBRARY_ONLY, "app/trace.py in trace_task"),
        (NEITHER, ""),
        ("", ""),
        ("x" * 100_000 + "\n" + PYTHON, "shop/orders.py in Orders.create"),
    ],
)
def test_the_place_of_an_error_is_the_innermost_of_the_application(web, stack, place):
    """A later line number, another folder, another build and other arguments lead to the same place."""
    placed = with_place("SELECT {stack:String} AS stack")

    ((found,),) = web.rows(f"SELECT stack_place FROM ({placed})", {"stack": stack})  # noqa: S608 - a constant of ours

    assert found == place


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("order 4711 of ada@example.org took 1.5 s", "order {n} of {email} took {n} s"),
        ("no key 'user-7' in \"cache\"", "no key '{value}' in \"cache\""),
        ('relation "orders" does not exist', 'relation "orders" does not exist'),
        ("trace 5b8efff798038103d269b633813fc60c at 0x7fe2", "trace {id} at {id}"),
        ("x" * 5000, "x" * 300),
    ],
)
def test_a_message_is_kept_without_its_values(web, said, kept):
    assert web.rows(f"SELECT {without_values('{said:String}')}", {"said": said}) == [(kept,)]


def failed(
    number: int, stack: str = "", *, kind: str = "ValueError", said: str = "no", inner: bool = False, **more
) -> Span:
    """A request of its own that failed, a minute after START; `number` makes its ids."""
    identity = number.to_bytes(8, "big")
    facts = {"id": identity, "trace": identity * 2, "start": SLOT + timedelta(minutes=1) + number * MS, "error": True}
    span = Span(**{**facts, **more}, kind=INTERNAL if inner else SERVER)
    if kind:
        facts_of_error = {"exception.type": kind, "exception.message": said, "exception.stacktrace": stack}
        event = b"".join(key_value(3, key, value) for key, value in facts_of_error.items())
        at_ns = int(span.start.timestamp()) * 10**9
        span.raw_attributes += message(11, fixed64(1, at_ns) + text(2, "exception") + event)
    return span


def asked(web, app, **more):
    return failures.errors(web, [app], START, END, **more)


def test_failures_of_one_type_at_one_place_are_one_group(web, sender, app):
    other_line = PYTHON.replace("line 88", "line 91").replace("releases/41", "releases/42")
    sender.spans(
        "orders", failed(1, PYTHON, said="id 7"), failed(2, other_line, said="id 8"), service__instance__id="a"
    )
    sender.spans("stock", failed(3, PYTHON, said="id 9", name="POST /x"), service__instance__id="b")
    sender.spans("orders", failed(4, PYTHON, kind="KeyError"), failed(5, NODE))

    page = asked(web, app)

    group = page.items[0]
    assert (group.type, group.place, group.times, group.message) == (
        "ValueError", "shop/orders.py in Orders.create", 3, "id {n}",
    )  # fmt: skip
    assert (group.endpoints, group.instances, group.has_stack) == (2, 2, True)
    assert [(one.service, one.times) for one in group.services] == [("orders", 2), ("stock", 1)]
    assert (group.first_seen, group.last_seen) == (failed(1).start, failed(3).start)
    assert group.trace_id == (3).to_bytes(8, "big").hex() * 2
    assert sum(group.series) == 3
    assert sorted((one.type, one.times) for one in page.items[1:]) == [("KeyError", 1), ("ValueError", 1)]
    assert (page.rest.groups, page.rest.times) == (0, 0)


def test_spans_of_one_request_that_tell_of_the_same_failure_count_once(web, sender, app):
    trace, entry = b"R" * 16, b"E" * 8
    sender.spans(
        "orders",
        failed(1, PYTHON, trace=trace, id=entry, name="POST /orders", ms=50.0),
        failed(2, PYTHON, trace=trace, parent=entry, name="create", inner=True),
    )

    (group,) = asked(web, app).items
    report = failures.report(web, [app], failures.group_id(group.id), START, END)

    assert (group.times, group.endpoints) == (1, 1)
    assert [(one.name, one.times) for one in report.endpoints] == [("POST /orders", 1)]


def test_without_a_stack_it_is_service_endpoint_and_status(web, sender, app):
    status = {"http.response.status_code": 502}
    sender.spans(
        "shop",
        failed(1, kind="", name="GET /a", attributes=status, message="upstream 10.0.0.1 is away"),
        failed(2, kind="", name="GET /a", attributes=status, message="upstream 10.0.0.2 is away"),
        failed(3, kind="", name="GET /b"),
    )
    sender.spans("other", failed(4, kind="", name="GET /a", attributes=status))

    found = {(one.type, one.place, one.services[0].service): (one.times, one.message) for one in asked(web, app).items}

    assert found == {
        ("502", "GET /a 502", "shop"): (2, "upstream {n} is away"),
        ("", "GET /b", "shop"): (1, ""),
        ("502", "GET /a 502", "other"): (1, ""),
    }


def test_of_more_groups_than_asked_for_the_rest_is_counted(web, sender, app):
    spans = [failed(n, kind=f"E{n // 10}") for n in range(10, 40)] + [failed(50, kind="E3")]
    sender.spans("orders", *spans)

    page = asked(web, app, limit=1)

    assert [(one.type, one.times) for one in page.items] == [("E3", 11)]
    assert (page.rest.groups, page.rest.times) == (2, 20)
    assert [one.type for one in asked(web, app, order="newest").items] == ["E3", "E2", "E1"]
    assert [one.type for one in asked(web, app, order="first").items] == ["E3", "E2", "E1"]


def test_a_group_has_where_it_happens_and_failures_with_their_stacks(web, sender, app):
    sender.spans("orders", failed(1, PYTHON, said="id 7"), failed(2, PYTHON, said="id 8"), service__instance__id="a")
    later = SLOT + timedelta(minutes=20)
    sender.spans("orders", failed(3, PYTHON, said="gone", name="PUT /", start=later), service__instance__id="b")
    (listed,) = asked(web, app).items

    report = failures.report(web, [app], failures.group_id(listed.id), START, END)

    assert report.group.model_dump(exclude={"series"}) == listed.model_dump(exclude={"series"})
    assert [(one.name, one.times) for one in report.endpoints] == [("GET /", 2), ("PUT /", 1)]
    assert [(one.name, one.times) for one in report.instances] == [("a", 2), ("b", 1)]
    assert [(one.message, one.times) for one in report.messages] == [("id {n}", 2), ("gone", 1)]
    assert [point.times for point in report.series if point.times] == [2, 1]
    newest = report.samples[0]
    assert (newest.message, newest.stack, newest.endpoint, newest.instance) == ("gone", PYTHON, "PUT /", "b")
    assert newest.trace_id == (3).to_bytes(8, "big").hex() * 2
    assert failures.report(web, [app], 7, START, END) is None
    assert failures.report(web, ["another-app"], failures.group_id(listed.id), START, END) is None


def test_an_error_is_new_since_the_deploy_that_it_was_never_seen_before(web, loader, sender, app):
    def at(minute: int):
        return SLOT + timedelta(minutes=minute)

    def send(minute: int, version: str, *spans: Span):
        facts = {"service__version": version, "service__instance__id": version, "host__name": "h"}
        sender.spans("orders", *spans, received=at(minute), **facts)
        learn_runs(loader, SLOT)

    send(1, "1.0", failed(1, kind="Old", start=at(1)))
    send(10, "1.1", Span(start=at(10)))
    send(12, "1.1", failed(2, kind="Old", start=at(12)), failed(3, kind="New", start=at(12)))

    found = {one.type: one for one in asked(web, app).items}

    assert found["Old"].new_since is None
    mark = found["New"].new_since
    assert (mark.kind, mark.version, mark.previous, mark.time) == ("deploy", "1.1", "1.0", at(10))
    assert found["Old"].first_seen == at(1)
    report = failures.report(web, [app], failures.group_id(found["New"].id), START, END)
    assert [one.version for one in report.deploys] == ["1.1"]


def test_first_seen_is_from_before_the_asked_time(web, sender, app):
    sender.spans(
        "orders", failed(1, kind="E", start=SLOT + MS), failed(2, kind="E", start=SLOT + timedelta(minutes=20))
    )

    (group,) = failures.errors(web, [app], SLOT + timedelta(minutes=15), END).items

    assert (group.times, group.first_seen) == (1, SLOT + MS)


def test_calls_that_fail_are_errors_of_whoever_calls(web, sender, app):
    attributes = {"http.response.status_code": 500, "error.type": "500"}
    sender.spans("front", failed(1, kind="", name="GET", parent=b"P" * 8, attributes=attributes))
    span = failed(2, kind="", name="GET", parent=b"P" * 8, attributes=attributes)
    span.kind = CLIENT
    sender.spans("front", span)

    (group,) = asked(web, app).items

    assert (group.type, group.place, group.times) == ("500", "GET 500", 2)

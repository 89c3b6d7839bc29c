"""Paths without a route: few names, whatever is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sonde
from sonde.probe import core
from sonde.probe.plugins.entry import ignored
from sonde.probe.plugins.entry import templates as ours
from sonde.probe.plugins.wsgi import entrance
from sonde.probe.service import identity
from sonde.probe.templates import MOST_WORDS, OTHER, Templates


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("", "/"),
        ("/users", "/users"),
        ("/users/", "/users/"),
        ("/user/1", "/user/{id}"),
        ("/user/1/orders/22", "/user/{id}/orders/{id}"),
        ("/v1/orders", "/v1/orders"),
        ("/api/v2.1/x", "/api/v2.1/x"),
        ("/files/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/files/{uuid}"),
        ("/commit/deadbeef01", "/commit/{hex}"),
        ("/facade", "/facade"),
        ("/day/2026-11-21", "/day/{date}"),
        ("/day/2026-11-21T10:00:00Z", "/day/{date}"),
        ("/mail/a.b@example.org", "/mail/{email}"),
        ("/order/ORD-2026-00017", "/order/{id}"),
        ("/s/dQw4w9WgXcQaBcDeF", "/s/{token}"),
        ("/static/app.css", "/static/app.css"),
        ("/caf\u00e9", "/{text}"),
        ("/a b", "/{text}"),
        ("/" + "x" * 100, "/{text}"),
        ("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o", "/a/b/c/d/e/f/g/h/i/j/k/l/…"),
    ],
)
def test_values_in_a_path_are_named_by_their_kind(path, template):
    assert Templates().of(path) == template


def test_where_very_many_words_follow_they_are_values():
    templates = Templates()
    seen = [templates.of(f"/shop/{chr(97 + number // 26)}{chr(97 + number % 26)}") for number in range(200)]

    assert len(set(seen)) == MOST_WORDS + 1
    assert seen[-1] == "/shop/{name}"
    assert templates.of("/shop/aa") == "/shop/aa"
    assert templates.of("/else/where") == "/else/where"


@given(st.lists(st.text(max_size=60), max_size=300))
def test_there_are_never_more_templates_than_the_limit(paths):
    templates = Templates(most=10)
    found = {templates.of("/" + path) for path in paths}
    assert len(found - {OTHER}) <= 10


@given(st.text(max_size=2000))
def test_the_same_path_has_the_same_template_while_nothing_else_comes(path):
    templates = Templates()
    assert templates.of(path) == templates.of(path)


def test_what_is_beyond_the_limit_is_one_name_that_can_be_seen():
    templates = Templates(most=2)
    assert [templates.of(path) for path in ("/a", "/b", "/c", "/a", "/d")] == ["/a", "/b", OTHER, "/a", OTHER]


@pytest.fixture(autouse=True)
def forgotten():
    ours.__init__()
    yield
    ours.__init__()


ENVIRON = {
    "REQUEST_METHOD": "GET",
    "wsgi.url_scheme": "http",
    "SERVER_NAME": "s",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "PATH_INFO": "/",
}


def served(status, path="/user/77", then=lambda: None):
    def application(_environ, start_response):
        start_response(status, [])
        then()
        return [b""]

    entrance(application)({**ENVIRON, "PATH_INFO": path}, lambda *_: None)


def test_a_request_without_a_route_is_named_by_its_template(spans):
    served("200 OK")
    span = spans.only()
    assert (span.name, span.attributes["url.template"]) == ("GET /user/{id}", "/user/{id}")
    assert "http.route" not in span.attributes


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed"])
def test_what_is_not_found_names_nothing(spans, status):
    served(status, "/wp-login.php")
    span = spans.only()
    assert span.name == "GET"
    assert "url.template" not in span.attributes


@pytest.fixture
def leaving_out():
    yield ignored.begin
    ignored.begin("")


@pytest.mark.parametrize(
    ("path", "left_out"),
    [("/healthz", True), ("/healthz/", False), ("/static/a.css", True), ("/statics", False), ("/", False)],
)
def test_requests_to_some_paths_are_left_out_with_all_that_happens_in_them(spans, leaving_out, path, left_out):
    leaving_out("/healthz, /static/*,")
    query = core.operation("SELECT", core.CLIENT)
    served("200 OK", path, then=lambda: core.leaf(query).finish())
    assert core.current() is None

    assert len(spans.take(0 if left_out else 2)) == (0 if left_out else 2)


def test_an_application_may_be_wrapped_and_named_by_hand(spans):
    def application(_environ, start_response):
        start_response("204 No Content", [])
        return []

    identity.begin("", {})
    environ = dict(ENVIRON)
    sonde.wsgi(sonde.wsgi(application, "orders"))(environ, lambda *_: None)

    assert spans.only().attributes["http.response.status_code"] == 204
    assert identity.resource["service.name"] == "orders"


def test_a_name_that_was_set_wins_over_one_said_in_the_program(spans):
    identity.begin("shop", {})
    sonde.wsgi(lambda *_: [], "orders")
    assert identity.resource["service.name"] == "shop"
    identity.begin("", {})

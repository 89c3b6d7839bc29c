"""Django through WSGI and ASGI, served over real sockets, its handlers called directly for details of the protocols."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.urls import include, path, re_path
from test_plugins_asgi import fetch, http_scope

from sonde.probe import core
from sonde.probe.plugins.django import _template
from sonde.probe.plugins.engine import Engine

QUERY = core.operation("SELECT", core.CLIENT)


def order(request, pk):
    core.leaf(QUERY).finish()
    return HttpResponse(f"order {pk}")


async def order_async(request, pk):
    await asyncio.sleep(0)
    core.leaf(QUERY).finish()
    return HttpResponse(f"order {pk}")


def broken(request):
    raise LookupError("no such thing")


async def broken_async(request):
    raise LookupError("no such thing")


def missing(request):
    raise Http404("not here")


def forbidden(request):
    raise PermissionDenied


def stream(request):
    def rows():
        for number in range(3):
            core.leaf(QUERY, f"row {number}").finish()
            yield f"{number},"

    return StreamingHttpResponse(rows())


async def stream_async(request):
    async def rows():
        for number in range(3):
            await asyncio.sleep(0)
            core.leaf(QUERY, f"row {number}").finish()
            yield f"{number},"

    return StreamingHttpResponse(rows())


def stream_broken(request):
    def rows():
        yield "0,"
        raise LookupError("half way")

    return StreamingHttpResponse(rows())


def file(request):
    return FileResponse(Path(__file__).open("rb"))


class View:
    """What a class-based view looks like to Django: a callable without a name."""

    def __call__(self, request, **kwargs):
        return HttpResponse("view")


rest = [re_path(r"^users/(?P<name>[^/.]+)/$", View())]
shop = ([path("orders/<int:pk>/", order), path("", View())], "shop")
urlpatterns = [
    path("", View()),
    path("orders/<int:pk>/", order),
    path("async/<int:pk>/", order_async),
    path("broken/", broken),
    path("broken-async/", broken_async),
    path("missing/", missing),
    path("forbidden/", forbidden),
    path("stream/", stream),
    path("stream-async/", stream_async),
    path("stream-broken/", stream_broken),
    path("file/", file),
    path("api/", include(rest)),
    path("eu/", include((([path("shop/", include(shop, namespace="inner"))]), "eu"), namespace="outer")),
]

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="x",
        LOGGING_CONFIG=None,
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", "test_plugins_django.passing"],
    )
    django.setup(set_prefix=False)


def passing(get_response):
    """Middleware as users write it."""

    def call(request):
        return get_response(request)

    return call


@pytest.fixture(params=["wsgi", "asgi"])
def url(request, serve_wsgi, serve_asgi):
    """The project, served by either kind of server."""
    if request.param == "wsgi":
        return serve_wsgi(get_wsgi_application())
    return serve_asgi(get_asgi_application(), lifespan="off")


def test_a_request_is_one_server_span_with_its_route(spans, url):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert fetch(f"{url}/orders/7/?token=secret", traceparent=trace) == (200, b"order 7")

    found = spans.by_kind(2)
    server = found["server"]
    assert server.name == "GET /orders/<int:pk>/"
    assert (server.trace_id, server.parent_id) == (trace[3:35], trace[36:52])
    assert found["client"].parent_id == server.span_id
    assert server.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "network.protocol.version": "1.1",
        "url.path": "/orders/7/",
        "http.route": "/orders/<int:pk>/",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize(
    ("target", "route"),
    [
        ("/", "/"),
        ("/api/users/ann/", "/api/users/<name>/"),
        ("/eu/shop/orders/7/", "/eu/shop/orders/<int:pk>/"),
        ("/eu/shop/", "/eu/shop/"),
    ],
)
def test_a_route_is_joined_from_what_is_included(spans, serve_wsgi, target, route):
    assert fetch(serve_wsgi(get_wsgi_application()) + target)[0] == 200

    assert spans.by_kind(2 if "orders" in target else 1)["server"].attributes["http.route"] == route


@pytest.mark.parametrize(
    ("pattern", "template"),
    [
        ("orders/<int:pk>/", "/orders/<int:pk>/"),
        ("", "/"),
        (r"^articles/(?P<year>[0-9]{4})/$", "/articles/<year>/"),
        (r"^articles/([0-9]{4})/(?:page-(?P<page>\d+)/)?$", "/articles/<var>/page-<page>/"),
        (r"api/(?P<pk>[^/.()]+)\.(?P<format>[a-z0-9]+)/?\Z", "/api/<pk>.<format>/"),
        (r"^a(b(c)d)e\-f$", "/a<var>e-f"),
        (r"^(?!admin)\w+$", r"/\w+"),
        (r"^odd/[)]/(?P<x>[]()]+)$", "/odd/[)]/<x>"),
        (r"^open/(?P<x>", "/open/<x>"),
        ("price(old)/", "/price(old)/"),
    ],
)
def test_a_regular_expression_is_shown_as_a_template(pattern, template):
    assert _template(pattern) == template


@pytest.mark.parametrize("target", ["/broken/", "/broken-async/"])
def test_an_exception_of_a_view_fails_the_span_though_django_answers(spans, url, target):
    assert fetch(url + target)[0] == 500

    span = spans.only()
    assert span.is_error
    assert span.attributes["error.type"] == "LookupError"
    assert span.attributes["http.response.status_code"] == 500
    assert span.attributes["http.route"] == target
    assert span.events == ["exception"]


@pytest.mark.parametrize(("target", "status"), [("/missing/", 404), ("/forbidden/", 403), ("/nowhere/", 404)])
def test_a_view_that_answers_by_an_exception_has_not_failed(spans, url, target, status):
    assert fetch(url + target)[0] == status

    span = spans.only()
    assert not span.is_error
    assert span.events == []
    assert span.attributes["http.response.status_code"] == status
    assert span.name == ("GET" if target == "/nowhere/" else f"GET {target}")


def test_an_async_view_is_below_its_request(spans, url):
    assert fetch(f"{url}/async/7/") == (200, b"order 7")

    found = spans.by_kind(2)
    assert found["server"].name == "GET /async/<int:pk>/"
    assert found["client"].parent_id == found["server"].span_id


def test_a_streamed_answer_is_one_span_with_its_queries_below(spans, serve_wsgi):
    _, body = fetch(serve_wsgi(get_wsgi_application()) + "/stream/")

    *rows, server = spans.take(4)
    assert b"2," in body
    assert [row.parent_id for row in rows] == [server.span_id] * 3
    assert server.name == "GET /stream/"


@pytest.mark.skipif(django.VERSION < (4, 2), reason="Django streams async iterators from 4.2 on")
def test_a_streamed_async_answer_is_one_span_with_its_queries_below(spans, serve_asgi):
    fetch(serve_asgi(get_asgi_application(), lifespan="off") + "/stream-async/")

    *rows, server = spans.take(4)
    assert [row.parent_id for row in rows] == [server.span_id] * 3
    assert server.name == "GET /stream-async/"


def test_an_exception_in_a_stream_fails_its_span(spans, serve_wsgi):
    fetch(serve_wsgi(get_wsgi_application()) + "/stream-broken/")

    span = spans.only()
    assert span.is_error
    assert span.attributes["error.type"] == "LookupError"


def test_a_file_is_sent_as_it_would_be(spans, serve_wsgi):
    status, body = fetch(serve_wsgi(get_wsgi_application()) + "/file/")

    assert status == 200
    assert body == Path(__file__).read_bytes()
    assert spans.only().attributes["http.route"] == "/file/"


def test_a_handler_under_no_known_server_opens_the_span(spans):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/orders/7/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }
    body = get_wsgi_application()(environ, lambda *_: None)
    assert b"".join(body) == b"order 7"
    body.close()

    assert [span.name for span in spans.take(2)] == ["SELECT", "GET /orders/<int:pk>/"]

    asked = []
    sent = []

    async def receive():
        asked.append("request")
        if len(asked) > 1:
            await asyncio.sleep(60)
        return {"type": "http.request"}

    async def send(message):
        sent.append(message["type"])

    asyncio.run(get_asgi_application()(http_scope("/orders/7/"), receive, send))
    assert sent == ["http.response.start", "http.response.body"]
    assert {span.name for span in spans.take(2)} == {"SELECT", "GET /orders/<int:pk>/"}


def test_a_request_made_by_djangos_test_client_is_no_request(spans):
    from django.test import Client

    client = Client(raise_request_exception=False)
    assert client.get("/broken/").status_code == 500
    assert client.get("/").content == b"view"

    spans.take(0)


def test_stopping_puts_every_function_back():
    from django.core.handlers import asgi, base, exception, wsgi

    def functions():
        return [
            wsgi.WSGIHandler.__call__,
            asgi.ASGIHandler.__call__,
            base.BaseHandler.resolve_request,
            exception.handle_uncaught_exception,
        ]

    before = functions()
    engine = Engine()
    engine.start()
    during = functions()
    engine.stop()

    assert all(one is not other for one, other in zip(before, during, strict=True))
    assert functions() == before

"""WSGI applications below an ASGI server, and the other way: one request, one span."""

from __future__ import annotations

import warnings

import httpx
import pytest
import uvicorn.middleware.wsgi
from a2wsgi import ASGIMiddleware
from a2wsgi import WSGIMiddleware as Converted
from asgiref.wsgi import WsgiToAsgi
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from sonde.probe import core

QUERY = core.operation("SELECT", core.CLIENT)


def shop():
    app = Flask("shop")

    @app.get("/orders/<int:number>")
    def order(number):
        core.leaf(QUERY).finish()
        return f"order {number}"

    @app.get("/broken")
    def broken():
        raise LookupError("no such thing")

    return app


def in_starlette(app):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from starlette.middleware.wsgi import WSGIMiddleware

    return Starlette(routes=[Mount("/", WSGIMiddleware(app))])


def by_uvicorn(app):
    """What `interface="wsgi"` takes where a2wsgi is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = uvicorn.middleware.wsgi
        return getattr(plain, "_WSGIMiddleware", plain.WSGIMiddleware)(app)


@pytest.mark.parametrize("convert", [in_starlette, by_uvicorn, Converted, WsgiToAsgi])
def test_a_wsgi_application_in_asgi_has_one_span_with_its_own_route(spans, serve_asgi, convert):
    url = serve_asgi(convert(shop()), lifespan="off")

    assert httpx.get(f"{url}/orders/7").text == "order 7"

    _, query, entry = sorted(spans.take(3), key=lambda span: (span.kind == "server", span.name == "SELECT"))
    assert (entry.kind, entry.name) == ("server", "GET /orders/<int:number>")
    assert query.parent_id == entry.span_id
    assert entry.attributes["http.response.status_code"] == 200
    assert entry.attributes["url.path"] == "/orders/7"


@pytest.mark.parametrize("convert", [in_starlette, by_uvicorn, Converted, WsgiToAsgi])
def test_an_exception_of_its_view_is_the_requests(spans, serve_asgi, convert):
    url = serve_asgi(convert(shop()), lifespan="off")

    assert httpx.get(f"{url}/broken").status_code == 500

    entry = spans.by_kind(2)["server"]
    assert entry.attributes["error.type"] == "LookupError"
    assert entry.events == ["exception"]


def test_a_wsgi_application_that_uvicorn_converts_itself_has_one_span(spans, serve_asgi):
    url = serve_asgi(shop(), interface="wsgi")

    assert httpx.get(f"{url}/orders/7").text == "order 7"

    taken = spans.take(3)
    entry = next(span for span in taken if span.kind == "server")
    assert entry.name == "GET /orders/<int:number>"
    assert [span.parent_id for span in taken if span.name == "SELECT"] == [entry.span_id]


def test_an_asgi_application_in_wsgi_has_one_span_with_its_own_route(spans, serve_wsgi):
    async def order(request):
        core.leaf(QUERY).finish()
        return PlainTextResponse(f"order {request.path_params['number']}")

    url = serve_wsgi(ASGIMiddleware(Starlette(routes=[Route("/orders/{number:int}", order)])))

    assert httpx.get(f"{url}/orders/7").text == "order 7"

    taken = spans.take(3)
    entry = next(span for span in taken if span.kind == "server")
    assert entry.name == "GET /orders/{number:int}"
    assert [span.parent_id for span in taken if span.name == "SELECT"] == [entry.span_id]

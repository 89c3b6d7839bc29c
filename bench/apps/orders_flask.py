"""Flask: a request is one entry, five redis GETs and one HTTP call by requests: seven operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask
import redis
import requests
from werkzeug.test import EnvironBuilder

from bench.apps.fakes import RedisConnection, answer_urllib3

if TYPE_CHECKING:
    from collections.abc import Callable


def make() -> Any:
    """The application, which is not yet instrumented by hand."""
    answer_urllib3("backend.test")
    cache = redis.Redis(
        connection_pool=redis.ConnectionPool(connection_class=RedisConnection, host="cache.test", port=6379)
    )
    session = requests.Session()
    session.trust_env = False
    app = flask.Flask("bench")

    @app.route("/order/<int:number>")
    def order(number: int) -> dict[str, Any]:
        for item in range(5):
            cache.get(f"user:{number}:{item}")
        answer = session.get("http://backend.test/api/price")
        return {"id": number, "ok": answer.json()["ok"]}

    return app


def driver(app: Callable[..., Any]) -> Callable[[int], None]:
    """Sends that many requests through the WSGI callable."""
    builder = EnvironBuilder(path="/order/7", headers={"Host": "shop.test", "User-Agent": "bench/1"})
    environ = builder.get_environ()

    def start_response(status: str, _headers: object, _error: object = None) -> None:
        assert status.startswith("200"), status

    def drive(count: int) -> None:
        for _ in range(count):
            body = app(dict(environ), start_response)
            assert b"true" in b"".join(body)
            if hasattr(body, "close"):
                body.close()

    return drive

"""The smallest WSGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Always 200."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

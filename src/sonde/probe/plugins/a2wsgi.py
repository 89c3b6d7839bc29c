"""a2wsgi: an application below its WSGIMiddleware or ASGIMiddleware has the request's one span, with its own route.
Makes no spans of its own. What is recorded and what never is: see `asgi` and `wsgi`.
"""

from __future__ import annotations

from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import in_the_place_of

PLUGIN = Plugin(
    library="a2wsgi",
    supports=">=1.7,<2",
    points={
        "a2wsgi.wsgi:build_environ": in_the_place_of(0),
        "a2wsgi.asgi:build_scope": in_the_place_of(0),
    },
)

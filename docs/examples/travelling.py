"""Values that travel with a request to every service it reaches, whatever its depth."""

import threading
import urllib.request
from collections.abc import Callable, Iterable
from wsgiref.simple_server import make_server

import sonde


def stock(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """The called service knows whom it works for, and says so on its own span."""
    tenant = sonde.baggage().get("tenant", "nobody")
    sonde.tag("tenant", tenant)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [tenant.encode()]


server = make_server("127.0.0.1", 0, stock)
threading.Thread(target=server.handle_request).start()

with sonde.span("order"):
    sonde.baggage(tenant="acme")
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
        print("worked for", answer.read().decode())

server.server_close()

"""WSGI (PEP 3333): one server span per request, from the server's call to the `close` of the answer's body.

Records method, path, route, status, scheme, the server's address and port, exceptions with their stack. Never records
the query string, headers, cookies, bodies, the client's address or its user agent.

The plugins of servers and frameworks call `serve`. Whoever is outermost opens the span: a server we know, else the
framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core, propagation
from sonde.probe.guard import fault
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.entry import KEY, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sonde.probe.plugins.plugin import Wrapper
    from sonde.probe.propagation import Remote

    Environ = dict[str, Any]
    StartResponse = Callable[..., Any]
    Application = Callable[[Environ, StartResponse], Any]
    Address = tuple[str, int | str]


_keys: Learned[str, str] = Learned(lambda name: f"HTTP_{name.upper().replace('-', '_')}", room=64)
"""Name of a header → its key in an environ. Only those are asked for that carry a trace."""


def entrance(application: Application, address: Address | None = None) -> Application:
    """`application` with a server span around each request. `address`: where environs do not tell it."""

    def call(environ: Environ, start_response: StartResponse) -> Any:
        return serve(application, environ, start_response, address)

    call.__wrapped__ = application  # type: ignore[attr-defined]
    return call


def serve_in_python(
    application: Application, environ: Environ, start_response: StartResponse, address: Address | None = None
) -> Any:
    """Call `application` under a server span, unless the request has one already."""
    entry = _opened(environ, address)
    if entry is None:
        return application(environ, start_response)

    def started(status: str, headers: Any, *more: Any) -> Any:
        # The last status counts: before the first byte, a second call with exc_info may replace the first.
        try:
            entry.status = int(status[:3])
        except Exception:
            fault("wsgi.start_response")
        return start_response(status, headers, *more)

    try:
        body = application(environ, started)
    except BaseException as error:
        entry.fail(error)
        entry.finish()
        raise
    return followed(body, entry, environ)


def in_the_place_of(given: int) -> Wrapper:
    """Wrapper for what turns an ASGI scope into an environ, or the other way: the request goes on below one span.

    `given`: index of the argument it is made from.
    """

    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            made = wrapped(*args, **kwargs)
            try:
                entry = args[given].get(KEY)
                if entry is not None:
                    made[KEY] = entry
            except Exception:
                fault("wsgi.in_the_place_of")
            return made

        return call

    return wrapper


def _opened(environ: Environ, address: Address | None) -> Entry | None:
    """A new entry; None if there is one, or where ours fails."""
    try:
        get = environ.get
        known = get(KEY)
        if known is not None and known.span is not None:
            return None
        host, port = address or (environ["SERVER_NAME"], environ["SERVER_PORT"])
        served = (environ["REQUEST_METHOD"], environ["wsgi.url_scheme"], host, port, environ["SERVER_PROTOCOL"])
        path = _text(get("SCRIPT_NAME", "") + get("PATH_INFO", ""))
        entry = environ[KEY] = Entry(served, path, remote(environ))
    except Exception:
        fault("wsgi.serve")
        return None
    return entry


def remote(environ: Environ) -> str | Remote | None:
    """What came with the request of its caller's trace."""
    get = environ.get
    return propagation.incoming(lambda name: get(_keys[name]))


def _text(path: str) -> str:
    """PEP 3333 carries bytes as Latin-1; on the wire they mean UTF-8."""
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")


def followed(body: Any, entry: Entry, environ: Environ) -> Any:
    """What the server gets for `body`, so that the span ends with it."""
    kind = type(body)
    if kind is list or kind is tuple:  # all bytes are there, nothing of the application runs any more
        entry.finish()
        return body
    try:
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(file_wrapper, type) and isinstance(body, file_wrapper):
            # Servers send such a body by sendfile(2) if it is their own class, so it has to stay what it is.
            body.close = _closing(  # type: ignore[attr-defined]
                getattr(body, "close", None), entry
            )
            return body
        return SizedBody(body, entry) if hasattr(kind, "__len__") else Body(body, entry)
    except Exception:
        fault("wsgi.body")
        entry.finish()
        return body


def _closing(close: Callable[[], Any] | None, entry: Entry) -> Callable[[], Any]:
    def closed() -> Any:
        try:
            return close() if close is not None else None
        finally:
            entry.finish()

    return closed


class Body:
    """The application's iterable as the server sees it. Ends the span when it is closed, fails it when it raises."""

    __slots__ = ("_body", "_chunks", "_entry")

    def __init__(self, body: Any, entry: Entry) -> None:
        self._body = body
        self._entry = entry
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        # A loop, not `yield from`: that would close the inner one a second time when the server stops early.
        try:
            for chunk in self._body:  # noqa: UP028 - see above
                yield chunk
        except Exception as error:
            self._entry.fail(error)
            raise

    def __next__(self) -> bytes:
        # Nothing of the protocol, but frameworks' bodies often have it, and middleware may rely on that.
        if self._chunks is None:
            self._chunks = iter(self)
        return next(self._chunks)

    def close(self) -> None:
        """Close the application's iterable; the span ends after it."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            self._entry.fail(error)
            raise
        finally:
            self._entry.finish()

    def __getattr__(self, name: str) -> Any:
        # Middleware between a server and a framework may know the framework's own response class.
        return getattr(self._body, name)

    def __del__(self) -> None:
        self._entry.finish()  # a server that never closes, against the PEP


class SizedBody(Body):
    """A body with a length: servers derive Content-Length from a length of 1."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)


serve = core.serve_wsgi if core.NATIVE else serve_in_python
if core.NATIVE:
    core.entries({"environ_remote": remote, "followed": followed})

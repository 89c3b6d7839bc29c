"""WSGI and Flask, over real sockets where a server matters and called directly where the protocol's details do."""

from __future__ import annotations

import io
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper

import pytest

from sonde.probe import core, guard
from sonde.probe.plugins import entry as entries
from sonde.probe.plugins.wsgi import entrance

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def get(url, **headers):
    """Fetch without leaving a client span: the server's side is what is tested here."""
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    plain = {
        name: getattr(http.client.HTTPConnection, name) for name in ("putrequest", "endheaders", "getresponse", "close")
    }
    for name, method in plain.items():
        setattr(connection, name, getattr(method, "__wrapped__", method).__get__(connection))
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", target, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def environ(path="/", **more):
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        **more,
    }


def answering(body, status="200 OK"):
    def app(environ, start_response):
        start_response(status, [])
        return body

    return app


def quiet(*_args):
    return None


@pytest.fixture
def flask_app():
    import flask

    app = flask.Flask("shop")

    @app.get("/orders/<int:number>")
    def order(number):
        return {"number": number}

    @app.get("/broken")
    def broken():
        raise LookupError("no such thing")

    @app.get("/refused")
    def refused():
        flask.abort(503)

    @app.get("/stream")
    def stream():
        def rows():
            yield "one,"
            yield "two"

        return flask.Response(rows())

    return app


def test_a_flask_request_is_one_server_span_with_its_route(spans, serve_wsgi, flask_app):
    url = serve_wsgi(flask_app)
    response, body = get(f"{url}/orders/7?token=secret", traceparent=TRACE)

    span = spans.only()
    assert (response.status, body) == (200, b'{"number":7}\n')
    assert (span.kind, span.name) == ("server", "GET /orders/<int:number>")
    assert span.trace_id == TRACE[3:35]
    assert span.parent_id == TRACE[36:52]
    assert span.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "network.protocol.version": "1.1",
        "url.path": "/orders/7",
        "http.route": "/orders/<int:number>",
        "http.response.status_code": 200,
    }
    assert not span.is_error


def test_an_exception_of_a_view_is_on_the_span_though_flask_answers_500(spans, serve_wsgi, flask_app):
    response, _ = get(serve_wsgi(flask_app) + "/broken")

    span = spans.only()
    assert response.status == span.attributes["http.response.status_code"] == 500
    assert span.is_error
    assert span.attributes["error.type"] == "LookupError"
    assert span.events == ["exception"]


def test_a_5xx_answer_is_an_error_and_a_4xx_answer_is_not(spans, serve_wsgi, flask_app):
    url = serve_wsgi(flask_app)
    get(f"{url}/refused")
    get(f"{url}/nowhere")

    refused, nowhere = spans.take(2)
    assert refused.is_error
    assert refused.attributes["error.type"] == "503"
    assert (nowhere.name, nowhere.is_error, nowhere.attributes["http.response.status_code"]) == ("GET", False, 404)


def test_a_streamed_answer_ends_the_span_with_its_last_byte(spans, serve_wsgi, flask_app):
    _, body = get(serve_wsgi(flask_app) + "/stream")

    assert body == b"one,two"
    assert spans.only().name == "GET /stream"


def test_flask_called_without_a_known_server_has_its_span_too(spans, flask_app):
    assert flask_app.test_client().get("/orders/7").status_code == 200

    assert spans.only().name == "GET /orders/<int:number>"


def test_flask_called_with_names_for_its_arguments_has_its_span_too(spans, flask_app):
    body = flask_app(start_response=quiet, environ=environ("/orders/7"))
    b"".join(body)
    body.close()

    assert spans.only().name == "GET /orders/<int:number>"


def test_spans_of_a_view_are_below_the_request(spans, flask_app):
    query = core.operation("SELECT", core.CLIENT)

    @flask_app.get("/below")
    def below():
        core.leaf(query).finish()
        return "ok"

    flask_app.test_client().get("/below")

    leaf, server = spans.take(2)
    assert leaf.parent_id == server.span_id
    assert leaf.trace_id == server.trace_id
    assert core.current() is None


def test_wsgirefs_server_is_seen(spans):
    class Quiet(WSGIRequestHandler):
        def log_message(self, *_args):
            pass

    import threading

    with make_server("127.0.0.1", 0, answering([b"hello"]), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        response, body = get(f"http://127.0.0.1:{server.server_port}/x")
        thread.join(5)

    assert (body, response.headers["Content-Length"]) == (b"hello", "5")
    span = spans.only()
    assert (span.kind, span.name, span.attributes["url.path"]) == ("server", "GET /x", "/x")


def test_a_list_is_handed_to_the_server_as_it_is(spans):
    body = [b"hello"]

    assert entrance(answering(body))(environ(), quiet) is body
    assert spans.only().attributes["http.response.status_code"] == 200


def test_a_body_with_a_length_keeps_it_and_one_without_has_none(spans):
    class Sized:
        def __iter__(self):
            return iter([b"hello"])

        def __len__(self):
            return 1

    sized = entrance(answering(Sized()))(environ(), quiet)
    unsized = entrance(answering(iter([b"hello"])))(environ(), quiet)

    assert len(sized) == 1
    assert not hasattr(unsized, "__len__")
    assert [*sized, *unsized] == [b"hello", b"hello"]
    sized.close()
    unsized.close()
    spans.take(2)


def test_the_application_is_called_and_its_body_closed_exactly_once_when_the_server_stops_early(spans):
    closed = []

    class Rows:
        def __iter__(self):
            return self

        def __next__(self):
            return b"row"

        def close(self):
            closed.append(True)

    body = entrance(answering(Rows()))(environ(), quiet)
    assert next(iter(body)) == b"row"
    body.close()
    del body

    assert closed == [True]
    spans.only()


def test_an_exception_in_the_middle_of_a_body_is_the_servers_to_see(spans):
    error = LookupError("row 2")

    def rows():
        yield b"row 1"
        raise error

    body = entrance(answering(rows()))(environ(), quiet)
    with pytest.raises(LookupError) as caught:
        list(body)
    body.close()

    assert caught.value is error
    span = spans.only()
    assert span.is_error
    assert span.events == ["exception"]


def test_an_exception_of_the_application_passes_with_its_own_traceback(spans):
    error = LookupError("broken")

    def app(environ, start_response):
        raise error

    with pytest.raises(LookupError) as caught:
        entrance(app)(environ(), quiet)

    assert caught.value is error
    assert caught.traceback[-1].name == "app"
    assert error.__context__ is None
    assert error.__cause__ is None
    assert spans.only().attributes["error.type"] == "LookupError"


def test_start_response_may_be_called_again_with_an_exception(spans):
    calls = []

    def start_response(*args):
        calls.append(args)

    def app(environ, start):
        start("200 OK", [])
        start("500 Oops", [("a", "b")], ("kind", "error", "traceback"))
        return [b""]

    entrance(app)(environ(), start_response)

    assert calls == [("200 OK", []), ("500 Oops", [("a", "b")], ("kind", "error", "traceback"))]
    assert spans.only().attributes["http.response.status_code"] == 500


def test_a_generator_application_that_starts_its_response_late_has_a_status(spans):
    def app(environ, start_response):
        start_response("201 Created", [])
        yield b"late"

    body = entrance(app)(environ(), quiet)
    assert list(body) == [b"late"]
    body.close()

    assert spans.only().attributes["http.response.status_code"] == 201


def test_the_servers_file_wrapper_stays_what_it_is(spans):
    """Servers send their own class by sendfile(2)."""
    file = io.BytesIO(b"content")

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    body = entrance(app)(environ(**{"wsgi.file_wrapper": FileWrapper}), quiet)

    assert type(body) is FileWrapper
    assert list(body) == [b"content"]
    body.close()
    assert file.closed
    assert spans.only().attributes["http.response.status_code"] == 200


def test_an_application_inside_another_has_no_second_span(spans, flask_app):
    entrance(flask_app)(environ("/orders/1"), quiet).close()

    assert spans.only().name == "GET /orders/<int:number>"


def test_an_environ_that_is_used_again_is_another_request(spans):
    shared = environ()
    entrance(answering([b""]))(shared, quiet)
    entrance(answering([b""]))(shared, quiet)

    first, second = spans.take(2)
    assert first.trace_id != second.trace_id


def test_a_strange_method_is_no_name(spans):
    entrance(answering([b""]))(environ(REQUEST_METHOD="BREW" * 100), quiet)

    span = spans.only()
    assert (span.name, span.attributes["http.request.method"]) == ("HTTP /", "_OTHER")


def test_a_path_is_read_as_utf8(spans):
    entrance(answering([b""]))(environ("/caf\u00c3\u00a9"), quiet)

    assert spans.only().attributes["url.path"] == "/café"


def test_a_malformed_headers_starts_a_fresh_trace_and_is_counted(spans):
    before = core.counters()["malformed_headers"]
    entrance(answering([b""]))(environ(HTTP_TRACEPARENT="00-nonsense"), quiet)

    assert spans.only().parent_id == ""
    assert core.counters()["malformed_headers"] == before + 1


def test_a_fault_of_ours_leaves_the_request_alone(spans, monkeypatch):
    """A path that is no text is a server's fault that the application may be able to live with."""
    monkeypatch.setattr(guard, "raised", False)
    body = [b"hello"]

    assert entrance(answering(body))(environ(SERVER_PORT="none"), quiet) is body
    assert entrance(answering(body, status="weird"))(environ(), quiet) is body
    assert set(guard.faults()) == {"wsgi.serve", "wsgi.start_response"}
    assert spans.only().name == "GET /"
    guard.forget()


def test_what_strangers_send_does_not_grow_our_tables(spans):
    for number in range(1000):
        entrance(answering([b""]))(environ(SERVER_NAME=f"host{number}"), quiet)

    assert len(entries.operations) == 512
    assert [span.attributes["server.address"] for span in spans.take(1000)][-1] == "host999"


def test_urllib_request_against_flask_is_one_trace(spans, serve_wsgi, flask_app):
    with urllib.request.urlopen(serve_wsgi(flask_app) + "/orders/7", timeout=5) as response:
        assert response.status == 200

    found = spans.by_kind(2)
    assert found["server"].parent_id == found["client"].span_id

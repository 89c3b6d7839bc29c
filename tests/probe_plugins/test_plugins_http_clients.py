"""http.client, urllib3, requests and httpx against a real server that tells what it was sent."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import requests
import urllib3

from sonde.probe import core

ENTRY = core.operation("entry", core.SERVER)


class Mirror(BaseHTTPRequestHandler):
    """Answers with the headers it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        path = self.path.partition("?")[0]
        if path == "/hang-up" or (path == "/flaky" and self.server.failures.pop(0)):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status = int(path[1:]) if path[1:].isdigit() else 200
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(302 if path == "/moved" else status)
        if path == "/moved":
            self.send_header("Location", "/home")
        self.send_header("Content-Length", str(len(body)))
        if path == "/last":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name http.server looks for

    def log_message(self, *args):
        pass


@pytest.fixture
def mirror():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.failures = []
    server.handle_error = lambda *_args: None  # a client that hangs up is what some tests are about
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def by_http_client(url):
    host = url.split("/")[2]
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", url.partition(host)[2])
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def by_urllib_request(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def by_urllib3(url):
    with urllib3.PoolManager() as pool:
        response = pool.request("GET", url, timeout=5)
        return response.status, response.data


def by_requests(url):
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(url, timeout=5)
        return response.status_code, response.content


def by_httpx(url):
    with httpx.Client(trust_env=False) as client:
        response = client.get(url)
        return response.status_code, response.content


def by_async_httpx(url):
    async def fetch():
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(url)
            return response.status_code, response.content

    return asyncio.run(fetch())


CLIENTS = [by_http_client, by_urllib_request, by_urllib3, by_requests, by_httpx, by_async_httpx]
every_client = pytest.mark.parametrize("fetch", CLIENTS, ids=lambda fetch: fetch.__name__[3:])


@every_client
def test_a_request_is_one_client_span_whose_id_goes_onto_the_wire(spans, mirror, fetch):
    with core.scope(ENTRY):
        status, body = fetch(f"{mirror.url}/price?token=secret#part")

    client, entry = spans.take(2)
    assert status == 200
    assert (client.kind, client.name, client.parent_id) == ("client", "GET", entry.span_id)
    assert client.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": mirror.server_port,
        "url.full": f"{mirror.url}/price",
        "http.response.status_code": 200,
    }
    received = {name.lower(): value for name, value in json.loads(body).items()}
    assert received["traceparent"] == f"00-{client.trace_id}-{client.span_id}-01"
    assert not client.is_error


@every_client
@pytest.mark.parametrize("code", [404, 500])
def test_an_answer_of_400_and_more_is_an_error(spans, mirror, fetch, code):
    assert fetch(f"{mirror.url}/{code}")[0] == code

    span = spans.only()
    assert span.is_error
    assert span.attributes["error.type"] == str(code)
    assert span.attributes["http.response.status_code"] == code


@every_client
def test_a_refused_connection_fails_the_span_and_raises_what_it_always_did(spans, fetch, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises((OSError, httpx.ConnectError, urllib3.exceptions.MaxRetryError)):
            fetch(f"http://127.0.0.1:{port}/")

    span = spans.only()
    assert span.is_error
    assert span.events == ["exception"]
    assert span.attributes["error.type"]
    assert "http.response.status_code" not in span.attributes


@every_client
def test_a_server_that_hangs_up_fails_the_span(spans, mirror, fetch):
    with pytest.raises((OSError, http.client.HTTPException, httpx.TransportError, urllib3.exceptions.HTTPError)):
        fetch(f"{mirror.url}/hang-up")

    assert spans.only().is_error


@every_client
def test_an_answer_that_closes_the_connection_is_complete(spans, mirror, fetch):
    assert fetch(f"{mirror.url}/last")[0] == 200

    assert spans.only().attributes["http.response.status_code"] == 200


def test_a_redirect_is_a_request_of_its_own(spans, mirror):
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{mirror.url}/moved", timeout=5)

    moved, home = spans.take(2)
    assert (moved.attributes["http.response.status_code"], home.attributes["url.full"]) == (302, f"{mirror.url}/home")


def test_retries_belong_to_the_request_they_retry(spans, mirror):
    mirror.failures = [True, True, False]
    with urllib3.PoolManager(retries=urllib3.Retry(5, backoff_factor=0)) as pool:
        assert pool.request("GET", f"{mirror.url}/flaky", timeout=5).status == 200

    assert spans.only().attributes["http.response.status_code"] == 200


def test_a_traceparent_of_the_users_own_is_left_alone(spans, mirror):
    mine = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"TraceParent": mine}
    with urllib3.PoolManager() as pool:
        assert json.loads(pool.request("GET", mirror.url, headers=headers).data)["TraceParent"] == mine
    answer = httpx.get(mirror.url, headers=headers, trust_env=False).json()
    assert [value for name, value in answer.items() if name.lower() == "traceparent"] == [mine]
    connection = http.client.HTTPConnection("127.0.0.1", mirror.server_port)
    connection.request("GET", "/", headers=headers)
    assert json.loads(connection.getresponse().read())["TraceParent"] == mine
    connection.close()

    spans.take(3)


def test_the_users_own_objects_are_not_touched(spans, mirror):
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(mirror.url, headers={"X-Mine": "1"}, timeout=5)
        assert "traceparent" not in response.request.headers
        assert "traceparent" not in session.headers
    answer = httpx.get(mirror.url, trust_env=False)
    assert "traceparent" not in answer.request.headers

    spans.take(2)


def test_user_and_password_are_in_no_attribute(spans, mirror):
    url = mirror.url.replace("http://", "http://ann:secret@")
    httpx.get(f"{url}/x", trust_env=False)
    requests.get(f"{url}/x", timeout=5)

    for span in spans.take(2):
        assert span.attributes["url.full"] == f"{mirror.url}/x"


def test_a_request_step_by_step_is_seen(spans, mirror):
    connection = http.client.HTTPConnection("127.0.0.1", mirror.server_port, timeout=5)
    connection.putrequest("POST", "/steps", skip_accept_encoding=True)
    connection.putheader("Content-Length", "2")
    connection.endheaders()
    connection.send(b"ab")
    body = connection.getresponse().read()
    connection.close()

    span = spans.only()
    assert (span.name, json.loads(body)["traceparent"][36:52]) == ("POST", span.span_id)


def test_a_connection_used_again_has_a_span_each_time(spans, mirror):
    connection = http.client.HTTPConnection("127.0.0.1", mirror.server_port, timeout=5)
    for number in range(3):
        connection.request("GET", f"/{200 + number}")
        connection.getresponse().read()
    connection.close()

    assert [span.attributes["http.response.status_code"] for span in spans.take(3)] == [200, 201, 202]


def test_a_request_nobody_waits_for_ends_with_its_connection(spans, mirror):
    connection = http.client.HTTPConnection("127.0.0.1", mirror.server_port, timeout=5)
    connection.request("GET", "/")
    connection.close()

    span = spans.only()
    assert "http.response.status_code" not in span.attributes
    assert not span.is_error


def test_a_body_that_makes_requests_itself_keeps_them_apart(spans, mirror):
    other = requests.Session()
    other.trust_env = False

    def body():
        yield other.get(f"{mirror.url}/201".replace("127.0.0.1", "localhost"), timeout=5).content[:1]

    with requests.Session() as session:
        session.trust_env = False
        session.post(f"{mirror.url}/202", data=body(), headers={"Content-Length": "1"}, timeout=5)
    other.close()

    inner, outer = spans.take(2)
    assert inner.attributes["http.response.status_code"] == 201
    assert outer.attributes["http.response.status_code"] == 202


def test_streaming_with_httpx_ends_the_span_with_the_headers(spans, mirror):
    with httpx.Client(trust_env=False) as client, client.stream("GET", f"{mirror.url}/x") as response:
        assert spans.only().attributes["http.response.status_code"] == 200
        assert response.read()

"""What every answer has in common, and what parameters may say."""

import gzip

import pytest

EXPECTED_HEADERS = {
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
}


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/nowhere", "/api/v1/nowhere", "/api/v1/services", "/assets/none.js"]
)
def test_every_answer_tells_the_browser_what_it_may_do(stranger, path):
    answer = stranger.get(path)

    assert set(answer.headers) >= EXPECTED_HEADERS
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self';" in policy, "no inline scripts"
    assert "server" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/nowhere", "/api/v2/services", "/assets/none.js"])
def test_an_address_that_is_none_gives_an_error_and_no_page(reader, path):
    answer = reader.get(path)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_method_that_an_address_does_not_take_is_refused_with_those_it_does(reader):
    answer = reader.put("/api/v1/services")

    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/v1/services?from=yesterday", "from"),
        ("/api/v1/services?to=2026-11-20", "to"),
        ("/api/v1/map?from=2026-11-20T18:00:00Z&to=2026-11-20T17:00:00Z", "from"),
        ("/api/v1/traces?from=2020-01-01T00:00:00Z", "from"),
        ("/api/v1/traces?limit=0", "limit"),
        ("/api/v1/traces?limit=1001", "limit"),
        ("/api/v1/traces?limit=many", "limit"),
        ("/api/v1/traces?min_ms=-1", "min_ms"),
        ("/api/v1/traces?min_ms=nan", "min_ms"),
        ("/api/v1/traces?error=perhaps", "error"),
        ("/api/v1/traces?attribute=no-equals-sign", "attribute"),
        ("/api/v1/traces?attribute=%3Dvalue", "attribute"),
        ("/api/v1/traces?attribute=a=1&attribute=n%3Emany", "attribute"),
        ("/api/v1/traces?" + "&".join(["attribute=a=1"] * 11), "attribute"),
        ("/api/v1/traces?status=6oo", "status"),
        ("/api/v1/traces?max_ms=-1", "max_ms"),
        ("/api/v1/traces/attributes/values", "key"),
        ("/api/v1/map/history?points=0", "points"),
        ("/api/v1/traces/" + "0" * 32 + "/compare/xyz", "other_id"),
        ("/api/v1/traces?order=oldest", "order"),
        ("/api/v1/traces?cursor=made-up", "cursor"),
        ("/api/v1/traces?service=" + "x" * 1001, "service"),
        ("/api/v1/traces/xyz", "trace_id"),
        ("/api/v1/live?window_s=1", "window_s"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(reader, path, parameter):
    answer = reader.get(path)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert answer.json()["error"]["message"].startswith(f"{parameter}: ")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/services/no%20such%20service",
        "/api/v1/services/a%2Fb",
        "/api/v1/nodes/no-such-host",
        "/api/v1/traces/" + "0" * 32,
        "/api/v1/traces/" + "0" * 32 + "/compare/" + "1" * 32,
    ],
)
def test_a_thing_that_is_not_there_is_404(reader, path):
    answer = reader.get(path)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/v1/services", "/api/v1/traces", "/api/v1/nodes", "/api/v1/apps"])
def test_lists_have_items_and_the_cursor_of_the_next(reader, path):
    answer = reader.get(path)

    assert answer.status_code == 200
    assert isinstance(answer.json()["items"], list)
    assert answer.json()["next"] is None


def test_what_the_client_has_is_not_sent_again(reader):
    first = reader.get("/api/v1/apps")

    again = reader.get("/api/v1/apps", headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert "private" in first.headers["cache-control"]


def test_a_large_answer_travels_compressed_where_the_client_can_read_that(server, tokens):
    with server.client(tokens["write"]) as client:
        for number in range(20):
            client.post("/api/v1/apps", json={"name": f"one of many {number}"})
        plain = client.get("/api/v1/apps", headers={"Accept-Encoding": "identity"})
        with client.stream("GET", "/api/v1/apps", headers={"Accept-Encoding": "gzip"}) as packed:
            received = b"".join(packed.iter_raw())

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert len(received) < len(plain.content)
    assert gzip.decompress(received) == plain.content


def test_the_console_answers_where_a_page_is_asked_for(stranger):
    answer = stranger.get("/services/shop")

    assert answer.headers["content-type"].startswith("text/html")


def test_metrics_tell_of_requests_spool_loader_and_store(reader):
    reader.get("/api/v1/services")
    page = reader.get("/metrics")

    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'sonde_http_requests_total{route="/api/v1/services",method="GET",status="200"}' in page.text
    for name in (
        "sonde_spool_bytes",
        "sonde_loader_files_total",
        "sonde_spool_oldest_seconds",
        "sonde_store_statements_total",
    ):
        assert f"# TYPE {name} " in page.text


def test_addresses_that_somebody_made_up_are_counted_together(reader, stranger):
    for number in range(5):
        stranger.get(f"/made-up-{number}")

    page = reader.get("/metrics").text

    assert "made-up" not in page
    assert 'route="other"' in page

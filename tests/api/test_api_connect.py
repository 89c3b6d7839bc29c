"""The page "Connect an application": who was refused, and what to write where."""

from datetime import UTC, datetime, timedelta

from started.waiting import eventually


def test_a_sender_with_a_wrong_token_is_seen_by_those_who_may_read(server, reader):
    with server.client("sonde_app_wrong") as sender:
        refused = sender.post(
            "/v1/traces", content=b"", headers={"Content-Type": "application/x-protobuf", "User-Agent": "hint-test"}
        )
        assert refused.status_code == 401

    hints = reader.get("/api/v1/connect/hints").json()["items"]

    (hint,) = [hint for hint in hints if "hint-test" in hint["text"]]
    assert (hint["protocol"], hint["reason"], hint["subject"]) == ("otlp_http", "unauthenticated", "127.0.0.1")
    assert hint["count"] >= 1
    assert hint["first_seen"] <= hint["last_seen"]
    assert 'sonde_connect_hints_total{protocol="otlp_http",reason="unauthenticated"}' in reader.get("/metrics").text


def test_the_ports_are_those_that_the_server_listens_on(server, reader):
    ports = reader.get("/api/v1/connect/ports").json()

    assert ports.pop("host") == "127.0.0.1"
    assert ports.pop("tokenless_skywalking") == ""
    assert set(ports) == {"otlp_http", "otlp_grpc", "skywalking_grpc", "skywalking_http", "xtransit"}
    said = {name: f":{port}" in server.output for name, port in ports.items() if port is not None}
    assert all(said.values()), said
    assert ports["otlp_http"] is None, "this server was started without"


def test_a_new_token_of_an_app_works_beside_the_old_one_and_only_writers_make_one(server, reader, tokens):
    app = server.app("renewed")
    address = f"/api/v1/apps/{app['id']}/tokens"
    assert reader.post(address).status_code == 403

    with server.client(tokens["write"]) as writer:
        made = writer.post(address)
        unknown = writer.post("/api/v1/apps/nobody/tokens")

    assert (made.status_code, unknown.status_code) == (201, 404)
    new = made.json()
    assert (new["id"], new["name"], new["secret"]) == (app["id"], "renewed", app["secret"])
    assert new["token"] != app["token"]
    for token in (new["token"], app["token"]):
        with server.client(token) as sender:
            headers = {"Content-Type": "application/json"}
            assert sender.post("/v1/traces", content=b"{}", headers=headers).status_code == 200


def test_what_arrived_since_is_told_by_service_and_app(server, reader):
    app, other = server.app("arriving"), server.app("silent")
    since = datetime.now(UTC) - timedelta(seconds=2)
    resource = {"attributes": [
        {"key": "service.name", "value": {"stringValue": "arrived/shop"}},
        {"key": "telemetry.sdk.language", "value": {"stringValue": "python"}},
    ]}  # fmt: skip
    now_ns = str(int(since.timestamp() * 1e9))
    span = {
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "name": "x",
        "kind": 2,
        "startTimeUnixNano": now_ns,
        "endTimeUnixNano": now_ns,
    }
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    with server.client(app["token"]) as sender:
        assert sender.post("/v1/traces", json=body).status_code == 200

    def asked(of, since):
        return reader.get("/api/v1/connect/arrivals", params={"app": of["id"], "since": since.isoformat()}).json()[
            "items"
        ]

    (arrival,) = eventually(lambda: asked(app, since), "the first data")
    assert (arrival["service"], arrival["language"]) == ("arrived/shop", "python")
    assert asked(app, datetime.now(UTC) + timedelta(minutes=1)) == []
    assert asked(other, since) == []

"""The page "Connect an application": who was refused, and what to write where."""


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

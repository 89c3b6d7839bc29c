"""Statistics over HTTP: reports, settings of apps, and rules about names, on a running server."""

import csv
import io
import time
from datetime import UTC, datetime, timedelta

import pytest

from sonde.wire.protobuf import fixed64, integer, key_value, message, text
from started.waiting import eventually

ENDPOINTS = ("GET /user/1", "GET /user/2", "GET /about")


@pytest.fixture(scope="module")
def admin(server, tokens):
    with server.client(tokens["admin"]) as client:
        yield client


@pytest.fixture(scope="module")
def writer(server, tokens):
    with server.client(tokens["write"]) as client:
        yield client


@pytest.fixture(scope="module")
def shop(server, reader):
    """An app whose services www and bare had nine requests each, three to each endpoint."""
    app = server.app("counted shop")
    start = time.time_ns() - 5 * 10**9
    resources = []
    for service in ("www", "bare"):
        spans = [
            message(1, bytes([number]) * 16)
            + message(2, bytes([number]) * 8)
            + text(5, ENDPOINTS[number % 3])
            + integer(6, 2)
            + fixed64(7, start)
            + fixed64(8, start + number * 30_000_000)
            + key_value(9, "http.response.status_code", 200)
            for number in range(1, 10)
        ]
        resource = message(1, key_value(1, "service.name", service))
        resources.append(message(1, resource + message(2, b"".join(message(2, span) for span in spans))))
    with server.client(app["token"]) as sender:
        headers = {"Content-Type": "application/x-protobuf"}
        assert sender.post("/v1/traces", content=b"".join(resources), headers=headers).status_code == 200
    eventually(lambda: sum(row["requests"] for row in rows(reader, app)) == 18, "requests in the statistics")
    return app


def rows(client, app, **parameters):
    answer = client.get("/api/v1/statistics", params={"app": app["id"], **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def rule(client, app, **wish):
    answer = client.post(f"/api/v1/apps/{app['id']}/names", json=wish)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture(autouse=True)
def forget(admin, shop):
    """Every test begins without rules."""
    yield
    for made in admin.get(f"/api/v1/apps/{shop['id']}/names").json()["items"]:
        assert admin.delete(f"/api/v1/apps/{made['app']}/names/{made['id']}").status_code == 204


def test_a_table_is_also_lines_for_a_spreadsheet(reader, shop):
    asked = {"app": shop["id"], "by": "endpoint", "format": "csv", "compare": "yesterday"}
    answer = reader.get("/api/v1/statistics", params=asked)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["endpoint"], line["requests"], line["compared.requests"]) for line in lines[:1]] == [
        ("GET /about", "3", "0")
    ]
    assert len(lines) == 6
    assert float(lines[0]["max_ms"]) >= float(lines[0]["p99_ms"]) > 0


def test_a_day_of_an_app_begins_at_its_own_midnight(admin, shop):
    address = f"/api/v1/apps/{shop['id']}/settings"
    assert admin.get(address).json()["changed_at"] is None
    wish = {"time_zone": "Asia/Kathmandu", "apdex_t_ms": 25, "normal_ms": 50, "slow_ms": 100, "timeout_ms": 200}
    assert admin.put(address, json=wish).status_code == 200

    day = admin.get("/api/v1/statistics/day", params={"app": shop["id"]}).json()

    assert day["from"].endswith("18:15:00Z")
    assert (day["time_zone"], len(day["blocks"]), day["whole"]["requests"]) == ("Asia/Kathmandu", 480, 18)
    assert day["whole"]["tiers"] == {"normal": 2, "slow": 4, "very_slow": 12, "failed": 0, "unknown": 0}
    assert (day["whole"]["timeouts"], day["whole"]["apdex"]) == (6, pytest.approx(3 / 18))
    assert admin.put(address, json={}).json()["time_zone"] == "UTC"
    assert admin.get("/api/v1/statistics/day", params={"app": "0" * 12}).status_code == 404
    assert admin.get("/api/v1/statistics/day").status_code == 400


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"time_zone": "Mars/Base"}, "time_zone: there is no time zone 'Mars/Base'"),
        ({"normal_ms": 300, "slow_ms": 200}, "body: normal_ms is more than slow_ms"),
        ({"late_max_s": 1}, "late_max_s: "),
        ({"apdex_t_ms": 0}, "apdex_t_ms: "),
        ({"tiers": []}, "tiers: "),
    ],
)
def test_settings_that_cannot_be_are_refused_with_the_name_of_their_fault(admin, shop, wish, said):
    answer = admin.put(f"/api/v1/apps/{shop['id']}/settings", json=wish)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(said)


def test_settings_of_an_app_are_an_admins(writer, shop):
    assert writer.put(f"/api/v1/apps/{shop['id']}/settings", json={}).status_code == 403


def test_rules_about_names_hold_for_what_was_recorded_before(admin, reader, shop):
    rule(admin, shop, kind="alias", service="www", name="site")
    rule(admin, shop, kind="alias", service="bare", name="site")
    rule(admin, shop, kind="endpoint", pattern=r"GET /user/\d+", name="GET /user/{id}")

    eventually(lambda: len(rows(reader, shop)) == 1, "one service", 10)

    assert [(row["service"], row["requests"]) for row in rows(reader, shop)] == [("site", 18)]
    found = {row["endpoint"]: row["requests"] for row in rows(reader, shop, by="endpoint", service="site")}
    assert found == {"GET /user/{id}": 12, "GET /about": 6}
    assert rows(reader, shop, service="www") == []
    (merged,) = rows(reader, shop, by="endpoint", endpoint="GET /user/{id}")
    assert (merged["service"], merged["requests"]) == ("site", 12)
    assert [row["requests"] for row in rows(reader, shop, by="host", service="site")] == [18]
    overview = reader.get("/api/v1/services").json()["items"]
    assert [row["requests"] for row in overview if row["app"] == shop["id"]] == [18]
    assert reader.get("/api/v1/services/site").json()["figures"]["requests"] == 18
    nodes = reader.get("/api/v1/map").json()["nodes"]
    assert f"service:{shop['id']}/site" in {node["id"] for node in nodes}
    assert f"service:{shop['id']}/www" not in {node["id"] for node in nodes}


def test_a_hidden_service_is_nowhere_and_a_moved_one_in_another_app(server, admin, writer, reader, shop):
    other = server.app("counted bank")
    rule(admin, shop, kind="hide", service="bare")
    wish = {"kind": "move", "service": "www", "target_app": other["id"]}
    assert writer.post(f"/api/v1/apps/{shop['id']}/names", json=wish).status_code == 403
    moving = rule(admin, shop, **wish)

    eventually(lambda: rows(reader, shop) == [] and rows(reader, other), "the service in the other app", 10)

    assert [(row["service"], row["requests"]) for row in rows(reader, other)] == [("www", 9)]
    assert writer.delete(f"/api/v1/apps/{shop['id']}/names/{moving}").status_code == 403
    assert [made["id"] for made in reader.get(f"/api/v1/apps/{other['id']}/names").json()["items"]] == [moving]


def test_pages_beside_the_statistics_have_the_names_too(admin, reader, shop):
    rule(admin, shop, kind="alias", service="www", name="site")
    rule(admin, shop, kind="endpoint", pattern=r"GET /user/\d", name="GET /user/{id}")
    asked = {"app": shop["id"], "service": "site", "endpoint": "GET /user/{id}"}

    def traces():
        return reader.get("/api/v1/traces", params=asked).json()["items"]

    assert len(eventually(traces, "traces of the service as it is shown", 10)) == 6
    trace = reader.get(f"/api/v1/traces/{traces()[0]['trace_id']}").json()
    assert {(span["service"], span["name"]) for span in trace["spans"] if span["app"] == shop["id"]} >= {
        ("site", "GET /user/{id}")
    }
    assert "site" in {row["service"] for row in reader.get("/api/v1/live?window_s=900").json()["latest"]}
    assert "site" in reader.get("/jaeger/api/services").json()["data"]
    backtest = {
        "app": shop["id"],
        "rule": {
            "name": "x",
            "what": {"kind": "statistic", "statistic": "requests"},
            "group_by": ["service"],
            "window_s": 300,
            "condition": {"threshold": 1},
        },
        "days": 0.02,
        "to": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
    }
    tried = reader.post("/api/v1/alarms/backtest", json=backtest).json()
    assert {group["group"]["service"] for group in tried["groups"]} == {"site", "bare"}


def test_a_name_that_looks_like_sql_is_a_name(admin, reader, shop):
    hostile = "x' OR 1=1 \\'; {a:String} FROM spans AS raw FINAL ünï"
    rule(admin, shop, kind="alias", service="www", name=hostile)
    rule(admin, shop, kind="endpoint", pattern=r"GET /(?:about|it's)", name=hostile)

    eventually(lambda: rows(reader, shop, service=hostile), "the name", 10)

    assert {row["service"] for row in rows(reader, shop)} == {hostile, "bare"}
    assert [row["requests"] for row in rows(reader, shop, by="endpoint", endpoint=hostile, service=hostile)] == [3]


def test_a_merging_rule_can_be_tried_out_before_it_is_made(writer, reader, shop):
    address = f"/api/v1/apps/{shop['id']}/names/preview"
    tried = reader.post(
        address, json={"kind": "endpoint", "pattern": r"GET /user/\d", "name": "user", "service": "www"}
    )

    assert tried.status_code == 200
    assert (tried.json()["matched"], tried.json()["requests"]) == (2, 6)
    assert {row["endpoint"] for row in tried.json()["items"]} == {"GET /user/1", "GET /user/2"}
    assert len(rows(reader, shop, by="endpoint")) == 6


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"kind": "endpoint", "pattern": "a(b", "name": "x"}, "pattern: missing )"),
        (
            {"kind": "endpoint", "pattern": "a[z-b]c", "name": "x"},
            "pattern: invalid character class range at character 3: 'z-b'",
        ),
        ({"kind": "endpoint", "pattern": "ab**", "name": "x"}, "pattern: bad repetition operator at character 3: '**'"),
        ({"kind": "endpoint", "name": "x"}, "body: pattern is needed"),
        ({"kind": "alias", "service": "x"}, "body: name is needed"),
        ({"kind": "hide", "service": "x", "name": "y"}, "body: name means nothing"),
        ({"kind": "move", "service": "x", "target_app": "0" * 12}, "there is no app"),
        ({"kind": "drop", "service": "x"}, "kind: "),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_place_and_reason(admin, shop, wish, said):
    answer = admin.post(f"/api/v1/apps/{shop['id']}/names", json=wish)

    assert answer.status_code in {400, 404}
    assert answer.json()["error"]["message"].startswith(said)


@pytest.mark.parametrize(
    ("address", "parameters", "named"),
    [
        ("", {"by": "nothing"}, "by"),
        ("", {"by": "callee", "endpoint": "x"}, "endpoint"),
        ("", {"status": "abc"}, "status"),
        ("/series", {"step_s": 45}, "step_s"),
        ("/series", {"step_s": 30, "from": 0, "to": 86_400_000 * 399}, "from"),
        ("/day", {"app": "0" * 12, "date": "2026-02-30"}, "date"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_with_its_name(reader, address, parameters, named):
    answer = reader.get(f"/api/v1/statistics{address}", params=parameters)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{named}: ")


def test_data_that_comes_later_than_the_app_allows_is_counted_and_said(server, admin, reader):
    app = server.app("punctual shop")
    assert admin.put(f"/api/v1/apps/{app['id']}/settings", json={"late_max_s": 3600}).status_code == 200
    start = int((datetime.now(UTC) - timedelta(hours=3)).timestamp() * 1e9)

    def late_ones():
        ids = message(1, time.time_ns().to_bytes(16, "big")) + message(2, b"S" * 8)
        span = ids + text(5, "GET /") + integer(6, 2) + fixed64(7, start) + fixed64(8, start + 1000)
        body = message(1, message(1, key_value(1, "service.name", "late")) + message(2, message(2, span)))
        with server.client(app["token"]) as sender:
            sender.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
        return reader.get("/api/v1/statistics", params={"app": app["id"]}).json()["too_old"]

    assert eventually(late_ones, "a span that is too old", 30) >= 1

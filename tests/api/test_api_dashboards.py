"""/dashboards: kept, filled and shared."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import ValidationError

from sonde.server.dashboards.embedding import embed_origins
from sonde.server.dashboards.panels import Asked
from sonde.server.dashboards.ready import ready
from sonde.server.reports.dashboards import DashboardDocument
from sonde.settings import SettingError, Settings
from started.waiting import eventually

SERVICE = "board/shop"
MS = 10**6
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def panel(number, kind="timeseries", **more):
    place = {"id": f"panel-{number}", "kind": kind, "x": 0, "y": number, "w": 6, "h": 4}
    return place | {"queries": [{"kind": "promql", "query": "1 + 1", "legend": "two"}]} | more


def document(*panels, **more):
    return {"title": "Board", "panels": list(panels)} | more


def service_panel(number, figure):
    return panel(number, queries=[{"kind": "service", "service": "$service", "figure": figure}])


WITH_SERVICE = document(
    service_panel(1, "requests_per_s"),
    service_panel(2, "error_rate"),
    panel(3, kind="table", queries=[{"kind": "services"}]),
    variables=[{"name": "service", "kind": "service", "default": ""}],
)


@pytest.fixture(scope="module")
def writer(server, tokens):
    with server.client(tokens["write"]) as client:
        yield client


@pytest.fixture(scope="module")
def recorded(server, reader):
    """Two requests of a service, one of them failed; and of another app's service with the same name, three."""
    own = server.app("dashboard-app")
    other = server.app("dashboard-other")
    begin = (int(time.time()) - 60) * 1000 * MS
    for app, count in ((own, 2), (other, 3)):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = SERVICE
        spans = resource.scope_spans.add().spans
        for number in range(count):
            span = spans.add(trace_id=bytes([count] * 15 + [number + 1]), span_id=b"root-id!", name="GET /", kind=2)
            span.start_time_unix_nano, span.end_time_unix_nano = begin, begin + 90 * MS
            span.status.code = 2 if number == 0 else 0
        with server.client(app["token"]) as sender:
            body = request.SerializeToString()
            sent = sender.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
            assert sent.is_success

    def counted():
        rows = reader.get("/api/v1/services").json()["items"]
        return sorted(row["requests"] for row in rows if row["service"] == SERVICE) == [2, 3]

    eventually(counted, "statistics of both services")
    return own


@pytest.fixture
def board(writer, recorded):
    """A dashboard about a service."""
    made = writer.post("/api/v1/dashboards", json={"app": recorded["id"], "document": WITH_SERVICE})
    assert made.status_code == 201, made.text
    yield made.json()
    writer.delete(f"/api/v1/dashboards/{made.json()['id']}")


def share(writer, board, **wish):
    answer = writer.post(f"/api/v1/dashboards/{board['id']}/shares", json=wish)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_those_that_come_with_sonde_are_listed_whole_and_cannot_be_changed(reader, writer):
    listed = {row["id"]: row for row in reader.get("/api/v1/dashboards").json()["items"] if row["app"] is None}

    assert set(listed) == set(ready()) == {"host", "python", "service", "wall"}
    whole = reader.get("/api/v1/dashboards/service").json()
    assert DashboardDocument.model_validate(whole["document"]) == ready()["service"]
    change = {"version": 1, "document": whole["document"]}
    assert writer.put("/api/v1/dashboards/service", json=change).json()["error"]["code"] == "ready_made"


def test_those_that_come_with_sonde_are_in_the_language_of_who_looks(reader):
    same = {"p95", "Apdex"}
    for name, document in ready("zh").items():
        english = ready()[name]
        texts = [document.title, document.description, *(panel.title for panel in document.panels)]
        originals = [english.title, english.description, *(panel.title for panel in english.panels)]
        assert set(texts) & set(originals) <= same
    listed = {row["id"]: row["title"] for row in reader.get("/api/v1/dashboards?language=zh").json()["items"]}
    assert listed["host"] == "主机"
    whole = reader.get("/api/v1/dashboards/host?language=zh").json()
    assert (whole["title"], whole["document"]["panels"][0]["title"]) == ("主机", "处理器")
    assert reader.get("/api/v1/dashboards?language=fr").status_code == 400


@pytest.mark.parametrize("name", sorted(ready()))
def test_every_panel_of_those_can_be_asked(reader, recorded, name):
    for one in ready()[name].panels:
        answer = reader.get(f"/api/v1/dashboards/{name}/panels/{one.id}", params={"app": recorded["id"]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["problem"] == ""


def test_a_panel_shows_the_service_of_its_own_app_that_was_chosen(reader, board):
    def shown(number):
        params = {"value": f"service={SERVICE}"}
        return reader.get(f"/api/v1/dashboards/{board['id']}/panels/panel-{number}", params=params).json()

    (rate,) = shown(1)["series"]
    (failing,) = shown(2)["series"]
    step_s = (rate["points"][1][0] - rate["points"][0][0]) / 1000
    assert rate["name"] == f"{SERVICE} requests_per_s"
    assert sum(value for _, value in rate["points"]) * step_s == pytest.approx(2, rel=0.2)
    assert [value for _, value in failing["points"] if value is not None] == [0.5]
    table = shown(3)
    assert table["columns"][0] == "service"
    assert [row[0] for row in table["rows"]] == [SERVICE]


def test_a_panel_waits_for_the_first_slot_of_a_step_to_be_over(reader, board):
    """Else a panel with one number, the last, would show almost nothing at the start of each step."""
    to = int(time.time()) // 30 * 30 - 20
    params = {"value": f"service={SERVICE}", "from": (to - 310) * 1000, "to": to * 1000}

    (rate,) = reader.get(f"/api/v1/dashboards/{board['id']}/panels/panel-1", params=params).json()["series"]

    assert rate["points"][-1][0] == (to - 40) * 1000


def test_a_panel_can_be_tried_before_it_is_kept(reader):
    wish = {"panel": panel(1), "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}
    shown = reader.post("/api/v1/dashboards/panel", json=wish).json()
    wrong = reader.post("/api/v1/dashboards/panel", json=wish | {"panel": panel(1, queries=[
        {"kind": "promql", "query": "rate("}, {"kind": "promql", "query": "3"}
    ])}).json()  # fmt: skip

    assert {value for _, value in shown["series"][0]["points"]} == {2.0}
    assert "unclosed left parenthesis" in wrong["problem"]
    assert len(wrong["series"]) == 1, "the other query is answered"


def test_of_two_who_save_the_second_is_told(writer, board):
    address = f"/api/v1/dashboards/{board['id']}"
    first = writer.put(address, json={"version": 1, "document": WITH_SERVICE | {"title": "First"}})
    second = writer.put(address, json={"version": 1, "document": WITH_SERVICE | {"title": "Second"}})

    assert first.json()["version"] == 2
    assert (second.status_code, second.json()["error"]["code"]) == (409, "changed_meanwhile")
    assert writer.get(address).json()["title"] == "First"


def test_who_may_only_read_changes_nothing(reader, board, recorded):
    wish = {"app": recorded["id"], "document": WITH_SERVICE}
    assert reader.post("/api/v1/dashboards", json=wish).status_code == 403
    assert reader.delete(f"/api/v1/dashboards/{board['id']}").status_code == 403
    assert reader.get(f"/api/v1/dashboards/{board['id']}/shares").status_code == 403


def test_a_link_shows_one_dashboard_with_its_values_and_nothing_else(writer, stranger, board):
    token = share(writer, board, values={"service": SERVICE})["token"]

    seen = stranger.get(f"/api/v1/shared/{token}").json()
    assert seen["document"]["title"] == "Board"
    assert seen["values"] == {"service": SERVICE}
    rows = stranger.get(f"/api/v1/shared/{token}/panels/panel-3").json()["rows"]
    assert [row[:1] for row in rows] == [[SERVICE]], "of the dashboard's own app alone"
    other = stranger.get(f"/api/v1/shared/{token}/panels/panel-1", params={"value": "service=other"}).json()
    assert other["series"][0]["name"].startswith(SERVICE), "who looks cannot choose another"
    assert stranger.get(f"/api/v1/dashboards/{board['id']}").status_code == 401
    assert stranger.get("/api/v1/services", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_link_ends_when_it_is_revoked_or_its_time_is_over(writer, stranger, board):
    made = share(writer, board)
    soon = datetime.now(UTC) + timedelta(seconds=2)
    brief = share(writer, board, expires_at=soon.isoformat())
    past = writer.post(f"/api/v1/dashboards/{board['id']}/shares", json={"expires_at": "2020-01-01T00:00:00Z"})

    assert stranger.get(f"/api/v1/shared/{made['token']}").status_code == 200
    listed = writer.get(f"/api/v1/dashboards/{board['id']}/shares").json()["items"]
    assert {row["id"] for row in listed} == {made["id"], brief["id"]}
    assert not any("token" in row for row in listed)
    gone = writer.delete(f"/api/v1/dashboards/{board['id']}/shares/{made['id']}")
    assert gone.status_code == 204
    assert stranger.get(f"/api/v1/shared/{made['token']}").status_code == 404
    eventually(lambda: stranger.get(f"/api/v1/shared/{brief['token']}").status_code == 404, "the end of a link")
    assert past.status_code == 400


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (document(panel(1), panel(1)), "two of one panel: panel-1"),
        (document(panel(1, x=8)), "more than the 12 columns"),
        (document(panel(1, queries=[])), "panel panel-1: needs a query"),
        (document(panel(1, kind="text")), "a text asks nothing"),
        (document(service_panel(1, "p95_ms")), "there is no variable $service"),
        (document(panel(1, queries=[{"kind": "services"}])), "lists are shown by tables only"),
        (document(panel(1, queries=[{"kind": "sql"}])), "panels.0.queries.0"),
        (document(schema_version=2), "schema_version"),
        (document(panel(1, colour="red")), "panels.0.colour"),
    ],
)
def test_a_dashboard_that_cannot_be_is_refused_with_the_place_and_the_reason(writer, recorded, wrong, problem):
    answer = writer.post("/api/v1/dashboards", json={"app": recorded["id"], "document": wrong})

    assert answer.status_code == 400
    assert problem in answer.json()["error"]["message"]


def test_pages_of_other_sites_show_nothing_in_a_frame_unless_a_setting_says_so(stranger):
    headers = stranger.get("/shared/whatever").headers

    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert (
        embed_origins(Settings({"embed_origins": " https://a.example  http://b:81 "}))
        == "https://a.example http://b:81"
    )
    with pytest.raises(SettingError, match="is no origin"):
        embed_origins(Settings({"embed_origins": "https://a.example;script-src"}))


@given(st.text(max_size=40))
def test_no_value_of_a_variable_leaves_its_quotes(value):
    asked = Asked(None, None, {"service": value}, NOW, NOW, thresholds=lambda _: None, now=NOW)  # type: ignore[arg-type]

    filled = asked.filled_in_promql('up{job="$service"}')

    inner = filled.removeprefix('up{job="').removesuffix('"}')
    position = 0
    while position < len(inner):
        assert inner[position] not in '"\n'
        position += 2 if inner[position] == "\\" else 1
    assert position == len(inner), "the last backslash stands before something"


def test_every_ready_document_is_what_an_import_takes():
    for made in ready().values():
        assert DashboardDocument.model_validate_json(made.model_dump_json()) == made
    with pytest.raises(ValidationError):
        DashboardDocument.model_validate({"title": ""})

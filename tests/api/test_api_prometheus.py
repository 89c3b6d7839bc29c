"""/prometheus: what Grafana's Prometheus data source and Prometheus' own tool ask for."""

import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from started.waiting import eventually

UNPACKED = Path(__file__).parents[2] / ".build" / "prometheus" / "usr" / "bin"
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=str(UNPACKED))
NOW_S = int(time.time()) - 30


@pytest.fixture(scope="module")
def measured(server):
    """An app with a counter that grows by two a second, for ten minutes until now."""
    app = server.app("measured")
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    for key, value in (("service.name", "shop"), ("service.instance.id", "shop-1"), ("host.name", "web-1")):
        resource.resource.attributes.add(key=key).value.string_value = value
    metric = resource.scope_metrics.add().metrics.add(name="orders.placed", unit="{order}")
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = 2
    for age_s in range(600, -1, -10):
        point = metric.sum.data_points.add(time_unix_nano=(NOW_S - age_s) * 10**9, as_int=5000 - 2 * age_s)
        point.attributes.add(key="shop.country").value.string_value = "DE"
    with server.client(app["token"]) as sender:
        answer = sender.post(
            "/v1/metrics", content=request.SerializeToString(), headers={"Content-Type": "application/x-protobuf"}
        )
        assert answer.status_code == 200
    return app


@pytest.fixture
def ask(reader, measured):
    def ask(path, **params):
        return reader.get(f"/prometheus/api/v1/{path}", params=params)

    eventually(lambda: ask("query", query="orders_placed_total", time=NOW_S).json()["data"]["result"], "stored points")
    return ask


def test_an_instant_query_has_the_shape_of_prometheus(ask, measured):
    answer = ask("query", query="orders_placed_total", time=NOW_S + 1).json()

    labels = {
        "__name__": "orders_placed_total", "job": "shop", "instance": "shop-1", "host_name": "web-1",
        "app": measured["id"], "shop_country": "DE",
    }  # fmt: skip
    assert answer == {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": labels, "value": [NOW_S + 1, "5000"]}]},
    }


def test_a_range_query_gives_a_point_a_step(ask):
    answer = ask(
        "query_range", query="sum(rate(orders_placed_total[1m]))", start=NOW_S - 300, end=NOW_S, step="30s"
    ).json()

    (series,) = answer["data"]["result"]
    assert series["metric"] == {}
    assert [point[0] for point in series["values"]] == list(range(NOW_S - 300, NOW_S + 1, 30))
    assert [float(point[1]) for point in series["values"]] == pytest.approx([2.0] * 11)


def test_queries_may_be_posted_as_forms(reader, ask):
    form = {"query": "orders_placed_total > 1", "time": str(NOW_S)}

    answer = reader.post("/prometheus/api/v1/query", data=form)

    assert answer.json() == ask("query", **form).json()


@pytest.mark.parametrize("user", ["", "grafana"])
def test_the_token_may_be_the_password_of_basic(server, tokens, ask, user):
    with httpx.Client(base_url=server.url, auth=(user, tokens["read"])) as client:
        assert client.get("/prometheus/api/v1/query", params={"query": "1"}).json()["status"] == "success"
        assert client.get("/api/v1/apps").status_code == 401, "elsewhere it may not"


@pytest.mark.parametrize(
    "path", ["query?query=1", "labels", "label/job/values", "series?match[]=x", "metadata", "status/buildinfo"]
)
def test_nobody_asks_without_a_token(stranger, server, path):
    assert stranger.get(f"/prometheus/api/v1/{path}").status_code == 401
    assert stranger.post(f"/prometheus/api/v1/{path}").status_code == 401
    for authorization in ("Basic", "Basic x", "Basic YTpi", "Basic /w=="):
        refused = stranger.get(f"/prometheus/api/v1/{path}", headers={"Authorization": authorization})
        assert refused.status_code == 401


def test_labels_series_and_metadata_lead_to_a_query(ask, measured):
    start = {"start": NOW_S - 600, "end": NOW_S}

    assert "orders_placed_total" in ask("label/__name__/values", **start).json()["data"]
    assert ask("label/shop_country/values", **start).json()["data"] == ["DE"]
    assert measured["id"] in ask("label/app/values", **start).json()["data"]
    assert {"__name__", "job", "shop_country"} <= set(ask("labels", **start).json()["data"])
    (series,) = ask("series", **{"match[]": '{__name__=~"orders.*"}', **start}).json()["data"]
    assert (series["__name__"], series["instance"]) == ("orders_placed_total", "shop-1")
    assert ask("labels", **{"match[]": "orders_placed_total", **start}).json()["data"] == sorted(series)
    assert ask("metadata", metric="orders_placed_total").json()["data"] == {
        "orders_placed_total": [{"type": "counter", "help": "", "unit": "{order}"}]
    }
    assert len(ask("metadata", limit=1).json()["data"]) == 1
    assert ask("format_query", query="sum( rate(x[5m]))by(job)").json()["data"].startswith("sum by (job)")
    assert "Sonde" in ask("status/buildinfo").json()["data"]["application"]


@pytest.mark.parametrize(
    ("path", "params", "status", "error_type", "word"),
    [
        ("query", {}, 400, "bad_data", "query"),
        ("query", {"query": "sum("}, 400, "bad_data", "query"),
        ("query", {"query": "x", "time": "yesterday"}, 400, "bad_data", "time"),
        ("query", {"query": "x", "time": "1e300"}, 400, "bad_data", "time"),
        ("query", {"query": "x", "time": "2026-01-01T00:00:00"}, 400, "bad_data", "zone"),
        ("query", {"query": "x", "timeout": "never"}, 400, "bad_data", "never"),
        ("query", {"query": 'x{a=~"("}'}, 400, "bad_data", ""),
        ("query", {"query": "x @ 1"}, 422, "execution", "@"),
        ("query_range", {"query": "x", "start": 5, "end": 1, "step": 1}, 400, "bad_data", "end"),
        ("query_range", {"query": "x", "start": 0, "end": 20000, "step": 1}, 400, "bad_data", "11000"),
        ("query_range", {"query": "x", "start": 0, "end": 1, "step": 0}, 400, "bad_data", "duration"),
        ("query_range", {"query": "x", "start": 0, "end": 1}, 400, "bad_data", "step"),
        ("series", {}, 400, "bad_data", "match[]"),
        ("series", {"match[]": "1+1"}, 400, "bad_data", "selector"),
        ("metadata", {"limit": "all"}, 400, "bad_data", "limit"),
    ],
)  # fmt: skip
def test_errors_have_the_shape_of_prometheus(ask, path, params, status, error_type, word):
    answer = ask(path, **params)

    assert answer.status_code == status
    said = answer.json()
    assert (said["status"], said["errorType"]) == ("error", error_type)
    assert word in said["error"]


def test_rfc_3339_is_a_time(ask):
    assert ask("query", query="time()", time="2026-11-20T18:00:00+01:00").json()["data"]["result"][1] == "1795194000"


promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool is installed")


@promtool
def test_promtool_asks_and_understands(server, tokens, ask):
    address = server.url.replace("http://", f"http://any:{tokens['read']}@") + "/prometheus"

    def tool(*words):
        done = subprocess.run([PROMTOOL, "query", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert 'job="shop"' in tool("instant", f"--time={NOW_S}", address, "orders_placed_total")
    ranged = tool(
        "range", f"--start={NOW_S - 60}", f"--end={NOW_S}", "--step=30s", address, "rate(orders_placed_total[2m])"
    )
    assert ranged.count(" @[") == 3
    assert "orders_placed_total" in tool("series", "--match=orders_placed_total", f"--start={NOW_S - 60}", address)
    assert "DE" in tool("labels", address, "shop_country")


@promtool
def test_promtool_finds_nothing_wrong_with_our_own_page(reader, ask):
    page = reader.get("/metrics").text

    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=page, capture_output=True, text=True, check=False)

    complaints = [line for line in checked.stderr.splitlines() if not line.endswith("no help text")]
    assert complaints == [], checked.stderr

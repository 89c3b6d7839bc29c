"""What a newcomer gets from one command: everything of the shop on the screen, and nothing left behind."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request

import psutil
import pytest

from .conftest import ROOT, free_port, until

LINE = re.compile(
    r"console: (?P<url>http://127\.0\.0\.1:\d+) user: (?P<user>\S+) password: (?P<password>\S+) token: (?P<token>\S+)"
)
SERVICES = {"front", "orders", "stock"}


class Demo:
    """`demo/run.py`, and its API as the token it printed sees it."""

    def __init__(self, folder):
        self.log = folder / "demo.log"
        command = [sys.executable, "demo/run.py", "--port", str(free_port()), "--folder", str(folder / "demo")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT)
        self.line = self.process.stdout.readline()
        match = LINE.fullmatch(self.line.strip())
        assert match, f"{self.line!r}; its log: {self.log.read_text()[-2000:]}"
        self.url, self.token = match["url"], match["token"]
        self.user, self.password = match["user"], match["password"]

    def get(self, path, **query):
        address = f"{self.url}/api/v1{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    running.stop()


def test_the_shops_services_show_traffic_success_rate_and_p95(demo):
    def seen():
        rows = {row["service"]: row for row in demo.get("/services")["items"]}
        busy = {name for name, row in rows.items() if row["requests"] and row["p95_ms"] is not None}
        return rows if busy >= SERVICES else None

    rows = until(seen, 60, "traffic of all three services")

    assert all(0 <= rows[name]["success_rate"] <= 1 for name in SERVICES)
    assert {rows[name]["language"] for name in SERVICES} == {"python"}


def test_the_map_has_the_services_and_what_they_call(demo):
    def edges():
        answer = demo.get("/map")
        names = {node["id"]: node["name"] for node in answer["nodes"]}
        types = {node["name"]: node["type"] for node in answer["nodes"]}
        pairs = {(names[edge["source"]], names[edge["target"]]) for edge in answer["edges"]}
        wanted = {("front", "orders"), ("front", "stock"), ("orders", "stock")}
        return (pairs, types) if wanted <= pairs else None

    pairs, types = until(edges, 60, "the edges between the services")

    assert {types[name] for name in SERVICES} == {"service"}
    assert "database" in {types[target] for source, target in pairs if source == "orders"}


def test_one_trace_crosses_three_processes_with_sql_and_http(demo):
    def crossing():
        found = demo.get("/traces", service="front", endpoint="POST /orders", limit=20)["items"]
        for row in found:
            trace = demo.get(f"/traces/{row['trace_id']}")
            if set(trace["services"]) >= SERVICES and roots(trace) == ["front"]:
                return trace
        return None

    def roots(trace):
        known = {span["span_id"] for span in trace["spans"]}
        return [span["service"] for span in trace["spans"] if span["parent_id"] not in known]

    trace = until(crossing, 60, "a trace through front, orders and stock, whose parts are joined")
    spans = {span["span_id"]: span for span in trace["spans"]}

    systems = {span["attributes"].get("db.system.name") for span in spans.values()}
    assert "sqlite" in systems
    assert any("?" in span["statement"] for span in spans.values() if span["statement"]), "SQL is there, masked"
    assert {"server", "client"} <= {span["kind"] for span in spans.values()}
    assert len({span["instance"] for span in spans.values()}) >= 3


def test_both_forked_workers_of_the_order_service_are_seen(demo):
    def instances():
        found = demo.get("/services/orders")["instances"]
        return found if len(found) >= 2 else None

    until(instances, 60, "two instances of orders")


def test_the_failing_and_the_slow_endpoint_show_as_what_they_are(demo):
    def endpoints():
        rows = {row["endpoint"]: row for row in demo.get("/services/front")["endpoints"]}
        flaky, slow = rows.get("GET /flaky"), rows.get("GET /reports/slow")
        return (flaky, slow) if flaky and flaky["errors"] and slow else None

    _, slow = until(endpoints, 90, "an error of GET /flaky and a GET /reports/slow")

    assert slow["max_ms"] > 300


def test_the_live_view_and_the_host_move(demo):
    live = until(lambda: (answer := demo.get("/live")) and answer["latest"] and answer, 30, "live requests")

    assert sum(point["requests"] for point in live["series"]) > 0
    host = until(lambda: demo.get("/nodes")["items"], 30, "the host")[0]
    assert host["memory_total_bytes"] > 0
    assert host["filesystems"]


def test_nothing_of_the_shop_knows_that_it_is_watched():
    for path in (ROOT / "demo" / "shop").rglob("*.py"):
        assert "sonde" not in path.read_text().lower(), path


def test_ctrl_c_leaves_no_process_behind(demo):
    """The last one: the others look at the same demo."""
    family = demo.family()
    assert len(family) >= 8, "server, store, web, agent, three services with a worker, load"

    assert demo.stop() == 0

    def left():
        return [process for process in family if alive(process)]

    until(lambda: not left(), 10, "the end of every process")


def alive(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False

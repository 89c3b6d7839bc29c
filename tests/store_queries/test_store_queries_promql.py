"""PromQL: the same samples in a real Prometheus and in our store, the same queries to both, the same answers."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pytest
from metrics_making import Both, at
from otlp_making import Sender
from prometheus_harness import PROMETHEUS, serving

from sonde.server.promql import answer
from sonde.server.promql.errors import PromqlError
from sonde.server.promql.limits import Deadline
from sonde.server.promql.select import Asker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from sonde.server.store.client import StoreClient

pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="no Prometheus is installed")
BOUNDS = (0.1, 0.5, 1.0, 5.0)
APP = "promql-compared"


def samples() -> Both:
    """Counters that start again, gauges up and down, histograms; with gaps, at times that no step falls on."""
    luck = random.Random(5)
    both = Both(APP)
    for number, (job, instance) in enumerate((("shop", "a:1"), ("shop", "b:1"), ("cart", "a:2"))):
        for code in ("200", "404", "500"):
            value, points = 100.0 * (number + 1), []
            for tick in range(80):
                value = 3.0 if luck.random() < 0.03 else value + luck.randrange(40)
                if not 30 <= tick < 36 or code == "200":
                    points.append((tick * 15 + 3 + luck.randrange(1000) / 1000, value))
            both.add_counter("http.requests", "http_requests", job, instance, points, code=code, method="GET")
        points = [
            (tick * 15 + 2 + luck.randrange(1000) / 1000, luck.gauss(0, 100))
            for tick in range(80)
            if luck.random() < 0.9
        ]
        both.add_gauge("room.temperature", "Cel", "room_temperature_celsius", job, instance, points, room=f"r{number}")
        both.add_gauge("cpu.use", "1", "cpu_use_ratio", job, instance, [(t, abs(v) / 100) for t, v in points])

        def growing(tick: int, *, seed: int = number) -> list[int]:
            return [tick * (seed + 1), tick * 3, 0, tick * tick // 9, tick // 5]

        times = [tick * 15 + 4.125 for tick in range(80)]
        both.add_histogram(
            "http.server.duration", "s", "http_server_duration_seconds", job, instance, BOUNDS, times, growing
        )
    both.add_gauge("of.seconds", "", "of_seconds", "shop", "a:1", [(100.5, 1.0), (400.25, 2.0), (1000.75, math.pi)])
    return both


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(tmp_path_factory.mktemp("prometheus"), samples().text) as client:
        yield client


@pytest.fixture(scope="module")
def loaded(loader: StoreClient, store_folder: Path) -> None:
    Sender(loader, store_folder / "spool", APP).request("metrics", *samples().requests)


@pytest.fixture
def asker(web: StoreClient, loaded: None) -> Asker:
    return Asker(web, [APP], Deadline())


QUERIES = """
http_requests_total
http_requests_total{code="200"}
http_requests_total{code!="200",job=~"sh.*"}
http_requests_total{code!~"4..|5.."}
http_requests_total{nobody=""}
{__name__=~"http_.*_total",job="cart"}
http_requests_total offset 2m
http_requests_total offset -1m
of_seconds
rate(http_requests_total[1m])
rate(http_requests_total[5m] offset 1m)
rate(http_requests_total{code="500"}[97s])
irate(http_requests_total[2m])
increase(http_requests_total[3m])
delta(room_temperature_celsius[2m])
idelta(room_temperature_celsius[2m])
deriv(room_temperature_celsius[4m])
predict_linear(room_temperature_celsius[4m], 600)
resets(http_requests_total[10m])
changes(room_temperature_celsius[5m])
avg_over_time(room_temperature_celsius[3m])
min_over_time(room_temperature_celsius[3m])
max_over_time(room_temperature_celsius[3m])
sum_over_time(room_temperature_celsius[3m])
count_over_time(http_requests_total[3m])
last_over_time(of_seconds[10m])
present_over_time(of_seconds[3m])
stddev_over_time(room_temperature_celsius[3m])
stdvar_over_time(room_temperature_celsius[3m])
quantile_over_time(0.75, room_temperature_celsius[5m])
quantile_over_time(1.5, room_temperature_celsius[5m])
absent_over_time(of_seconds{room="x"}[3m])
timestamp(http_requests_total)
sum(http_requests_total)
sum by (job) (rate(http_requests_total[2m]))
sum without (code, method) (rate(http_requests_total[2m]))
avg by (code) (http_requests_total)
min(room_temperature_celsius)
max by (job) (room_temperature_celsius)
count by (job, code) (http_requests_total)
group by (room) (room_temperature_celsius)
stddev(room_temperature_celsius)
stdvar by (job) (room_temperature_celsius)
quantile(0.9, http_requests_total)
quantile by (job) (0.5, http_requests_total)
topk(2, http_requests_total)
topk by (job) (1, rate(http_requests_total[2m]))
bottomk(3, room_temperature_celsius)
count_values("value", of_seconds)
histogram_quantile(0.9, rate(http_server_duration_seconds_bucket[5m]))
histogram_quantile(0.5, sum by (le) (rate(http_server_duration_seconds_bucket[2m])))
histogram_quantile(0.99, sum by (le, job) (increase(http_server_duration_seconds_bucket[3m])))
histogram_quantile(0, http_server_duration_seconds_bucket)
histogram_quantile(1, http_server_duration_seconds_bucket)
histogram_quantile(2, http_server_duration_seconds_bucket)
http_server_duration_seconds_bucket{le="0.5"}
http_server_duration_seconds_bucket{le=~"0.*"}
rate(http_server_duration_seconds_sum[3m]) / rate(http_server_duration_seconds_count[3m])
sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) * 100
http_requests_total / on (job, instance) group_left () http_server_duration_seconds_count
http_requests_total / ignoring (code) group_left (room) sum without (code) (http_requests_total)
room_temperature_celsius * on (job, instance) cpu_use_ratio
room_temperature_celsius - ignoring (room) cpu_use_ratio
cpu_use_ratio * on (job, instance) group_right () room_temperature_celsius
cpu_use_ratio * on (job, instance) group_left (room) room_temperature_celsius
sum by (job) (cpu_use_ratio) + on (job) group_right () http_requests_total
room_temperature_celsius > 0
room_temperature_celsius > bool 0
0 < room_temperature_celsius
room_temperature_celsius >= on (job, instance) cpu_use_ratio
room_temperature_celsius < bool on (job, instance) cpu_use_ratio
http_requests_total == http_requests_total
http_requests_total != 100
http_requests_total and on (job) room_temperature_celsius > 50
http_requests_total unless on (job, instance) (room_temperature_celsius > 0)
room_temperature_celsius > 100 or cpu_use_ratio
-http_requests_total
+http_requests_total
2 ^ 3 ^ 2 % 7
http_requests_total % 7
2 ^ (room_temperature_celsius / 10)
room_temperature_celsius / 0
0 / (room_temperature_celsius * 0)
room_temperature_celsius % 0
room_temperature_celsius ^ 0.5
room_temperature_celsius atan2 on (job, instance) cpu_use_ratio
1 > bool 2
time()
time() - timestamp(of_seconds)
vector(3)
scalar(of_seconds)
scalar(http_requests_total)
abs(room_temperature_celsius)
ceil(room_temperature_celsius)
floor(room_temperature_celsius)
round(room_temperature_celsius)
round(room_temperature_celsius, 0.25)
clamp(room_temperature_celsius, -10, 10)
clamp(room_temperature_celsius, 10, -10)
clamp_min(room_temperature_celsius, 0)
clamp_max(room_temperature_celsius, scalar(of_seconds))
sqrt(room_temperature_celsius)
exp(room_temperature_celsius)
ln(room_temperature_celsius)
log2(cpu_use_ratio)
log10(cpu_use_ratio)
sgn(room_temperature_celsius)
absent(of_seconds)
absent(nobody{job="x",code=~"y"})
absent(sum(nobody))
label_replace(http_requests_total, "kind", "$1xx", "code", "(.).*")
label_replace(http_requests_total, "kind", "${1}xx", "code", "(.).*")
label_replace(http_requests_total, "kind", "${1}-$$", "nobody", "(.*)")
label_replace(http_requests_total, "code", "", "code", ".*04")
label_join(room_temperature_celsius, "place", "/", "job", "instance", "nobody")
pi()
"a text"
sort(of_seconds)
""".strip().splitlines()


def as_numbers(result: Any) -> Any:
    """Labels → (time, value) of each point; numbers that were added up in another order are the same."""
    if result["resultType"] in {"scalar", "string"}:
        return result["result"]
    points = {}
    for series in result["result"]:
        key = tuple(sorted(series["metric"].items()))
        assert key not in points, "a series stands there twice"
        points[key] = [(round(time, 3), float(value)) for time, value in series.get("values", [series.get("value")])]
    return points


def alike(ours: Any, theirs: Any) -> None:
    if not isinstance(theirs, dict):
        assert ours == theirs
        return
    assert sorted(ours) == sorted(theirs)
    for key, points in theirs.items():
        assert [time for time, _ in ours[key]] == [time for time, _ in points], key
        wanted = [value for _, value in points]
        assert [value for _, value in ours[key]] == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True), key


@pytest.mark.parametrize("query", QUERIES)
def test_a_range_query_is_answered_as_prometheus_answers_it(prometheus: httpx.Client, asker: Asker, query: str) -> None:
    start, end, step = at(60), at(1290), 30
    theirs = prometheus.get(
        "/api/v1/query_range",
        params={"query": query, "start": start.timestamp(), "end": end.timestamp(), "step": step},
    ).json()
    if theirs["status"] == "error":
        assert query.startswith('"'), theirs
        return

    ours = answer.over_range(asker, query, round(start.timestamp() * 1000), round(end.timestamp() * 1000), step * 1000)

    alike(as_numbers(ours), as_numbers(theirs["data"]))


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("seconds", [200, 1210.5])
def test_an_instant_query_is_answered_as_prometheus_answers_it(
    prometheus: httpx.Client, asker: Asker, query: str, seconds: float
) -> None:
    moment = at(seconds).timestamp()
    theirs = prometheus.get("/api/v1/query", params={"query": query, "time": moment}).json()
    assert theirs["status"] == "success", theirs

    ours = answer.instant(asker, query, round(moment * 1000))

    assert ours["resultType"] == theirs["data"]["resultType"]
    alike(as_numbers(ours), as_numbers(theirs["data"]))
    if query.startswith("sort"):
        assert [series["metric"] for series in ours["result"]] == [
            series["metric"] for series in theirs["data"]["result"]
        ]


AMBIGUOUS = """
http_requests_total / on (job) room_temperature_celsius
room_temperature_celsius / on (job) http_requests_total
http_requests_total * on (job, instance) http_server_duration_seconds_count
label_replace(http_requests_total, "code", "x", "", "")
http_requests_total > "a"
rate(http_requests_total)
sum(1)
topk("a", http_requests_total)
nofunction(http_requests_total)
http_requests_total{
{job=""}
label_replace(of_seconds, "a-b", "x", "", "")
http_requests_total{job=~"("}
""".strip().splitlines()


@pytest.mark.parametrize("query", AMBIGUOUS)
def test_what_prometheus_refuses_is_refused_in_the_same_words_for_programs(
    prometheus: httpx.Client, asker: Asker, query: str
) -> None:
    moment = at(600).timestamp()
    theirs = prometheus.get("/api/v1/query", params={"query": query, "time": moment})
    assert theirs.json()["status"] == "error", theirs.json()

    with pytest.raises(PromqlError) as refused:
        answer.instant(asker, query, round(moment * 1000))

    assert (refused.value.status, refused.value.error_type) == (theirs.status_code, theirs.json()["errorType"])

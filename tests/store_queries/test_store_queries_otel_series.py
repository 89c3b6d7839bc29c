"""What Prometheus has no counterpart for: OpenTelemetry's names, deltas, exponential histograms, and the limits."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_making import (
    DELTA,
    at,
    counter,
    exponential,
    exponential_point,
    gauge,
    histogram,
    histogram_point,
    number,
    request,
)

from sonde.server.promql import answer, limits, metadata, select
from sonde.server.promql.errors import BadQueryError, ExecutionError, PromqlError, TooSlowError
from sonde.server.promql.histogram import quantile_of_buckets
from sonde.server.promql.limits import Deadline
from sonde.server.promql.names import Family, label_name, labels_of, metric_name, number_text, series_names
from sonde.server.promql.parse import parse, parse_duration_ms
from sonde.server.promql.select import Asker
from sonde.server.store.queries.samples import GRID
from sonde.wire.protobuf import double, fixed64, message, text

if TYPE_CHECKING:
    from otlp_making import Sender

    from sonde.server.store.client import StoreClient


@pytest.fixture
def asker(web: StoreClient, app: str) -> Asker:
    return Asker(web, [app], Deadline())


def ms(seconds: float) -> int:
    return round(at(seconds).timestamp() * 1000)


def values(asker: Asker, query: str, seconds: float = 600) -> dict[str, float]:
    """Instant values by what is special in the labels."""
    found = {}
    for series in answer.instant(asker, query, ms(seconds))["result"]:
        labels = {key: value for key, value in series["metric"].items() if key not in {"app", "job", "instance"}}
        found[",".join(f"{key}={value}" for key, value in sorted(labels.items()))] = float(series["value"][1])
    return found


def family(name: str, unit: str = "", kind: str = "gauge", *, monotonic: bool = False) -> Family:
    return Family(name, unit, kind, monotonic, delta=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("otel", "prometheus"),
    [
        (family("http.server.request.duration", "s", "histogram"), "http_server_request_duration_seconds"),
        (family("system.memory.usage", "By", "sum"), "system_memory_usage_bytes"),
        (family("system.network.io", "By", "sum", monotonic=True), "system_network_io_bytes_total"),
        (family("requests.total", "{request}", "sum", monotonic=True), "requests_total"),
        (family("system.cpu.utilization", "1"), "system_cpu_utilization_ratio"),
        (family("jobs", "1", "sum", monotonic=True), "jobs_total"),
        (family("disk.speed", "MiBy/s"), "disk_speed_mebibytes_per_second"),
        (family("errors", "{error}/min"), "errors_per_minute"),
        (family("wait.seconds", "s"), "wait_seconds"),
        (family("wait_seconds_sum", "s"), "wait_seconds_sum"),
        (family("2xx-answers"), "_2xx_answers"),
        (family("a..b--c"), "a_b_c"),
        (family("日本"), "_"),
        (family("odd", "furlong/fortnight"), "odd_furlong_per_fortnight"),
    ],
)
def test_names_follow_the_compatibility_rules_of_opentelemetry(otel: Family, prometheus: str) -> None:
    assert metric_name(otel) == prometheus


def test_each_kind_of_metric_is_found_under_the_names_that_prometheus_gives_it() -> None:
    assert series_names(family("a", "s", "histogram")) == {
        "a_seconds_count": "count",
        "a_seconds_sum": "sum",
        "a_seconds_bucket": "bucket",
    }
    assert series_names(family("a", "s", "summary")) == {
        "a_seconds": "quantile",
        "a_seconds_count": "count",
        "a_seconds_sum": "sum",
    }


def test_labels_of_ours_win_and_an_attribute_of_that_name_is_exported() -> None:
    labels = labels_of("1", "shop", "i", "", {"job": "x", "http.method": "GET", "http_method": "POST", "1a": "y"})

    assert labels == {
        "app": "1", "job": "shop", "instance": "i", "exported_job": "x", "http_method": "GET;POST", "key_1a": "y",
    }  # fmt: skip
    assert label_name("le") == "exported_le"


@given(st.floats())
def test_a_number_is_written_without_exponent_and_read_back_the_same(value: float) -> None:
    text = number_text(value)

    assert "e" not in text.lower() or text == "NaN"
    assert float(text) == value or math.isnan(value)


def test_a_matcher_finds_attributes_by_the_name_of_their_label(sender: Sender, asker: Asker) -> None:
    points = [
        number(at(590), 1, {"http.method": "GET", "job": "inner"}),
        number(at(590), 2, {"http.method": "POST"}),
        number(at(590), 4, {"1st": "yes"}),
    ]
    sender.request("metrics", request("shop", "i", gauge("open", "", points)))

    assert values(asker, 'open{http_method="GET"}') == {"__name__=open,exported_job=inner,http_method=GET": 1}
    assert values(asker, 'sum(open{exported_job="inner"})') == {"": 1}
    assert values(asker, 'sum(open{http_method=~"GET|POST"})') == {"": 3}
    assert values(asker, 'sum(open{http_method!~"G.*"})') == {"": 6}
    assert values(asker, 'sum(open{http_method=""})') == {"": 4}
    assert values(asker, 'sum(open{key_1st="yes"})') == {"": 4}
    assert values(asker, 'sum(open{job="shop",le=""})') == {"": 7}
    assert values(asker, 'open{job="inner"}') == {}


def test_a_delta_counter_has_the_rate_of_the_cumulative_one(sender: Sender, asker: Asker) -> None:
    steps = [(tick * 10 + 5, 3.0 + tick % 4) for tick in range(60)]
    total, grown = 1000.0, []
    for t, value in steps:
        total += value
        grown.append((t, total))
    sender.request(
        "metrics",
        request("shop", "i", counter("cumulative", "", [number(at(t), value, {}) for t, value in grown])),
        request("shop", "i", counter("delta", "", [number(at(t), value, {}) for t, value in steps], DELTA)),
    )

    for query in ("rate({}[2m])", "increase({}[95s])", "irate({}[2m])", "resets({}[5m])"):
        wanted = values(asker, query.format("cumulative_total"))
        assert values(asker, query.format("delta_total")) == pytest.approx(wanted), query
        assert wanted


def test_a_delta_histogram_has_the_quantile_of_the_cumulative_one(sender: Sender, asker: Asker) -> None:
    bounds, each = (0.1, 1.0, 10.0), [[2, 5, 3, 0], [0, 9, 1, 1], [1, 1, 1, 4]]
    cumulated, points, deltas = [0, 0, 0, 0], [], []
    for tick in range(60):
        cumulated = [a + b for a, b in zip(cumulated, each[tick % 3], strict=True)]
        points.append(histogram_point(at(tick * 10 + 5), bounds, cumulated, 1.0, {}))
        deltas.append(histogram_point(at(tick * 10 + 5), bounds, each[tick % 3], 1.0, {}))
    sender.request(
        "metrics",
        request("shop", "i", histogram("cumulative", "s", points), histogram("delta", "s", deltas, DELTA)),
    )

    query = "histogram_quantile({}, rate({}_seconds_bucket[2m]))"
    for quantile in (0.1, 0.5, 0.9, 0.99):
        wanted = values(asker, query.format(quantile, "cumulative"))
        assert values(asker, query.format(quantile, "delta")) == pytest.approx(wanted)
        assert wanted


@pytest.mark.parametrize("scale", [-1, 0, 2, 5])
def test_an_exponential_histogram_becomes_buckets_with_bounds_that_stay(
    sender: Sender, asker: Asker, scale: int
) -> None:
    """All values are spread evenly over the logarithms of 1…16, so half of them are not above 4."""
    size = max(1, round(4 * 2**scale))
    points = [
        exponential_point(
            at(tick * 10 + 5), scale, 0 if tick % 2 else -3, ([] if tick % 2 else [0, 0, 0]) + [tick * 8] * size, 0, {}
        )
        for tick in range(60)
    ]
    sender.request("metrics", request("shop", "i", exponential("took", "s", points)))

    half = values(asker, "histogram_quantile(0.5, rate(took_seconds_bucket[5m]))")
    counts = values(asker, "took_seconds_bucket")

    assert half == {"": pytest.approx(4, rel=2 ** (1 / GRID) - 1)}
    assert counts["__name__=took_seconds_bucket,le=+Inf"] == 59 * 8 * size
    assert counts["__name__=took_seconds_bucket,le=4"] == pytest.approx(59 * 8 * size / 2)
    ordered = sorted(counts.values())
    assert sorted(counts, key=lambda name: float(name.rpartition("=")[2])) == sorted(
        counts, key=lambda name: (counts[name], float(name.rpartition("=")[2]))
    )
    assert ordered[-1] == 59 * 8 * size


def test_a_summary_is_its_quantiles_count_and_sum(sender: Sender, asker: Asker) -> None:
    quantiles = message(6, double(1, 0.5) + double(2, 7.0)) + message(6, double(1, 0.99) + double(2, 9.0))
    point = fixed64(3, round(at(590).timestamp() * 1e9)) + fixed64(4, 12) + double(5, 80.0) + quantiles
    sender.request(
        "metrics", request("shop", "i", message(2, text(1, "took") + text(3, "s") + message(11, message(1, point))))
    )

    assert values(asker, "took_seconds") == {
        "__name__=took_seconds,quantile=0.5": 7,
        "__name__=took_seconds,quantile=0.99": 9,
    }
    assert values(asker, 'took_seconds{quantile="0.99"}') == {"__name__=took_seconds,quantile=0.99": 9}
    assert values(asker, "took_seconds_sum / took_seconds_count") == {"": pytest.approx(80 / 12)}


def test_nobody_sees_series_of_an_app_that_is_not_theirs(sender: Sender, asker: Asker, web: StoreClient) -> None:
    sender.request("metrics", request("shop", "i", gauge("secret.of.mine", "", [number(at(590), 1, {"a": "b"})])))
    stranger = Asker(web, ["another"], Deadline())

    assert values(asker, "secret_of_mine")
    assert values(stranger, "secret_of_mine") == {}
    assert values(stranger, f'{{__name__=~"secret.*",app="{asker.apps}"}}') == {}
    assert "secret_of_mine" not in metadata.metrics(stranger, "", 1000)
    assert metadata.values_of_label(stranger, "a", [], ms(0), ms(700)) == []
    assert metadata.label_names(stranger, ["secret_of_mine"], ms(0), ms(700)) == []
    assert "a" not in metadata.label_names(stranger, [], ms(0), ms(700))
    assert metadata.series(stranger, ["secret_of_mine"], ms(0), ms(700)) == []


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("max_over_time(rate(x[1m])[5m:1m])", "subquery"),
        ("x[5m]", "range of samples"),
        ("x @ 5", "@"),
        ("limitk(2, x)", "limitk"),
        ("holt_winters(x[5m], 0.5, 0.5)", "holt_winters"),
        ("hour()", "hour"),
        ("quantile_over_time(time(), x[5m])", "changes with time"),
        ('x{a="b" or c="d"}', "or"),
    ],
)
def test_what_is_not_supported_is_named(asker: Asker, query: str, named: str) -> None:
    with pytest.raises(PromqlError, match=named):
        answer.over_range(asker, query, ms(0), ms(600), 60_000)


@pytest.mark.parametrize(
    "query", ["(" * 5000 + "x" + ")" * 5000, "x" + "+x" * 5000, "-" * 5000 + "x", "x or " * 300 + "x", "y" * 20_000]
)
def test_a_query_that_would_end_the_parser_is_refused_before_it(query: str) -> None:
    with pytest.raises(BadQueryError, match="at most"):
        parse(query)


@pytest.mark.parametrize(
    "query", ["rate(x[290000y])", "x offset 290000y", "x offset NaN", "rate(x[11y])", "x offset -11y"]
)
def test_an_endless_duration_is_refused(asker: Asker, query: str) -> None:
    with pytest.raises(BadQueryError):
        answer.instant(asker, query, ms(600))


def test_operators_in_texts_are_none() -> None:
    assert parse('x{host=~"' + "|".join(f"web-{number}" for number in range(500)) + '"}')


def test_a_query_for_too_many_points_is_refused(asker: Asker) -> None:
    with pytest.raises(BadQueryError, match="11000 points"):
        answer.over_range(asker, "x", 0, 11_000_000, 1000)
    answer.over_range(asker, "1", 0, 10_999_000, 1000)


def test_a_query_for_too_many_series_is_refused(sender: Sender, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [number(at(590), 1, {"n": str(count)}) for count in range(20)]
    sender.request("metrics", request("shop", "i", gauge("many", "", points)))
    for module in (limits, select):
        monkeypatch.setattr(module, "MOST_SERIES", 19)

    with pytest.raises(ExecutionError, match="more than 19 series"):
        values(asker, "many")
    assert len(values(asker, 'many{n!="3"}')) == 19


def test_a_query_for_too_many_values_is_refused(sender: Sender, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [number(at(590), 1, {"n": str(count)}) for count in range(20)]
    sender.request("metrics", request("shop", "i", gauge("wide", "", points)))
    for module in (limits, select):
        monkeypatch.setattr(module, "MOST_VALUES", 199)

    with pytest.raises(ExecutionError, match="20 series at 10 steps"):
        answer.over_range(asker, "wide", ms(60), ms(600), 60_000)


def test_a_query_whose_time_is_over_ends(asker: Asker) -> None:
    with pytest.raises(TooSlowError):
        answer.instant(Asker(asker.store, asker.apps, Deadline(0)), "x", ms(600))


@pytest.mark.parametrize("text", ["", "5x", "-5", "0", "1e400", "nan", "99y", "５s"])
def test_a_bad_duration_is_refused(text: str) -> None:
    with pytest.raises(BadQueryError):
        parse_duration_ms(text)


BUCKETS = st.lists(st.tuples(st.floats(0.001, 1e6), st.integers(0, 1000)), min_size=1, max_size=12)


@given(BUCKETS, st.integers(0, 100), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_of_buckets_grow_and_stay_within_the_bounds(
    found: list[tuple[float, int]], above: int, one: float, other: float
) -> None:
    total, buckets = 0, []
    for bound, count in sorted(dict(found).items()):
        total += count
        buckets.append((bound, float(total)))
    buckets.append((math.inf, float(total + above)))
    low, high = sorted((one, other))

    lower, higher = quantile_of_buckets(low, buckets), quantile_of_buckets(high, buckets)

    if total + above == 0:
        assert math.isnan(lower)
    elif not math.isnan(lower):  # 0 of an empty first bucket is 0/0, in Prometheus as well
        assert 0 <= lower <= higher * (1 + 1e-12)
        assert higher <= buckets[-2][0] * (1 + 1e-12)


def test_increase_and_rate_of_any_counter_agree_and_are_never_negative(sender: Sender, asker: Asker) -> None:
    """Counters that start again at random; the increase is the rate times the window, and at least what was seen."""
    luck = random.Random(7)
    points, seen = [], {}
    for name in map(str, range(30)):
        value, last, gained = 50.0, None, 0.0
        for tick in range(luck.randrange(2, 20)):
            value = float(luck.randrange(5)) if luck.random() < 0.2 else value + luck.randrange(100)
            points.append(number(at(300 + tick * 15), value, {"n": name}))
            if last is not None:
                gained += value - last if value >= last else value
            last = value
        seen[f"n={name}"] = gained
    sender.request("metrics", request("shop", "i", counter("any", "", points)))

    increase, rate = values(asker, "increase(any_total[10m])", 700), values(asker, "rate(any_total[10m])", 700)

    assert set(increase) == set(rate) == set(seen)
    for name, gained in seen.items():
        assert increase[name] == pytest.approx(rate[name] * 600)
        assert increase[name] >= gained * (1 - 1e-9)

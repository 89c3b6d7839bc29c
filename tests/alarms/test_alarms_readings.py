"""What rules measure, in a real store: each kind against figures counted by hand."""

import pytest
from making import at, counter, gauge, number, request, requests, rule

from sonde.server.alarms.last_seen import LastSeen, history
from sonde.server.alarms.readings import Frame, read

SLOT_S = 30


@pytest.fixture
def start_s(clock):
    """A whole slot, a while ago."""
    return int(clock.now.timestamp()) - 3600


def values(web, wanted, end_s):
    """By group, of one window."""
    reading = read(web, [wanted], Frame(end_s))[wanted.id]
    assert reading.problem == ""
    return {tuple(dict(labels).values()): numbers.get(0, reading.missing) for labels, numbers in reading.groups.items()}


def test_statistics_are_those_of_the_window_and_the_filter(web, sender, app, start_s):
    requests(sender, start_s - 31, 50, ms=900)  # the slot before
    requests(sender, start_s, 8, ms=10, errors=2)
    requests(sender, start_s + 45, 2, ms=30, endpoint="GET /slow")
    requests(sender, start_s, 5, service="other")
    requests(sender, start_s + 60, 50, ms=900)  # the slot after

    def of(statistic, **what):
        wanted = rule(app, what={"kind": "statistic", "statistic": statistic, **what}, window_s=60)
        return values(web, wanted, start_s + 60)[()]

    assert of("requests") == 15
    assert of("requests", service="shop") == 10
    assert of("requests_per_s", service="shop") == pytest.approx(10 / 60)
    assert of("errors", service="shop") == 2
    assert of("error_rate", service="shop") == pytest.approx(0.2)
    assert of("error_rate", service="shop", endpoint="GET /") == pytest.approx(0.25)
    assert of("average_ms", service="shop") == pytest.approx(14.0)
    assert of("max_ms", service="shop") == pytest.approx(30.0)
    assert of("p50_ms", service="shop") == pytest.approx(10.0, rel=0.01)
    assert of("p99_ms", service="shop", endpoint="GET /slow") == pytest.approx(30.0, rel=0.01)
    assert of("apdex", service="shop") == pytest.approx(0.8)
    assert of("requests", service="nobody") == 0
    assert of("error_rate", service="nobody") is None


def test_groups_patterns_and_the_least_number_of_requests(web, sender, app, start_s):
    requests(sender, start_s, 4, service="shop-a", errors=1)
    requests(sender, start_s, 1, service="shop-b", errors=1)
    requests(sender, start_s, 9, service="bank", instance="b-1")

    def of(**said):
        what = {"kind": "statistic", "statistic": "error_rate", **said.pop("what", {})}
        return values(web, rule(app, what=what, group_by=["service"], **said), start_s + 60)

    assert of() == {("bank",): 0, ("shop-a",): 0.25, ("shop-b",): 1}
    assert of(what={"service": "shop-*"}) == {("shop-a",): 0.25, ("shop-b",): 1}
    assert of(condition={"requests_least": 4}) == {("bank",): 0, ("shop-a",): 0.25, ("shop-b",): None}
    capped = read(
        web,
        [rule(app, group_by=["service"], what={"kind": "statistic", "statistic": "requests"}, most_groups=1)],
        Frame(start_s + 60),
    )["1"]
    assert list(capped.groups) == [(("service", "bank"),)], "the busiest stay"
    assert capped.dropped == 2


def test_many_rules_are_one_answer_each(web, sender, app, start_s):
    requests(sender, start_s, 4, errors=1)
    requests(sender, start_s, 6, service="bank", endpoint="GET /pay", instance="b-1", ms=70)
    wanted = [
        rule(app, id_="a"),
        rule(app, id_="b", what={"kind": "statistic", "statistic": "requests"}),
        rule(app, id_="c", what={"kind": "statistic", "statistic": "p95_ms"}, group_by=["service", "endpoint"]),
        rule(
            app, id_="d", what={"kind": "statistic", "statistic": "requests", "instance": "b-1"}, group_by=["service"]
        ),
        rule("0" * 32, id_="e", what={"kind": "statistic", "statistic": "requests"}),
        rule(app, id_="f", what={"kind": "errors"}, group_by=["error_type"]),
        rule(app, id_="g", what={"kind": "errors", "service": "bank"}),
    ]

    found = read(web, wanted, Frame(start_s + 60))

    assert found["a"].groups == {(): {0: 0.25}}
    assert found["b"].groups == {(): {0: 10}}
    assert {labels: numbers[0] for labels, numbers in found["c"].groups.items()} == {
        (("endpoint", "GET /"), ("service", "shop")): pytest.approx(10, rel=0.011),
        (("endpoint", "GET /pay"), ("service", "bank")): pytest.approx(70, rel=0.011),
    }
    assert found["d"].groups == {(("service", "bank"),): {0: 6}}
    assert found["e"].groups == {(): {}}, "of another app nothing is seen"
    assert found["e"].missing == 0
    assert found["f"].groups == {(("error_type", "ValueError"),): {0: 1}}
    assert found["g"].groups == {(): {}}


def test_many_windows_of_one_rule_say_what_each_says_alone(web, sender, app, start_s):
    for number_, count in enumerate((3, 0, 5, 1, 0, 0, 2, 7)):
        if count:
            requests(sender, start_s + number_ * SLOT_S + 4, count, ms=10 * (number_ + 1), errors=count // 2)
    for window_s, step_s in ((90, 30), (60, 120)):
        wanted = rule(app, what={"kind": "statistic", "statistic": "p95_ms", "service": "shop"}, window_s=window_s)
        frame = Frame(start_s + SLOT_S, step_s, 7)
        together = read(web, [wanted], frame)["1"]
        alone = [read(web, [wanted], Frame(frame.end_of(k)))["1"].groups[()].get(0) for k in range(frame.count)]
        assert [together.groups[()].get(k) for k in range(frame.count)] == alone, (window_s, step_s)
    wanted = rule(app, what={"kind": "errors"}, window_s=90)
    together = read(web, [wanted], Frame(start_s + SLOT_S, 30, 9))["1"].groups[()]
    assert [together.get(k, 0) for k in range(9)] == [1, 1, 3, 2, 2, 0, 1, 4, 4]


def test_metrics_by_aggregate_and_attribute(web, sender, app, start_s):
    points = [number(at(start_s + s), float(s), {"pool": "a"}) for s in (0, 10, 20)]
    points += [number(at(start_s + 25), 100.0, {"pool": "b"})]
    added = [number(at(start_s + s), value, {}) for s, value in ((0, 10.0), (10, 40.0), (20, 5.0), (30, 15.0))]
    body = request("shop", "i-1", gauge("pool.used", "1", points), counter("jobs", "1", added))
    sender.request("metrics", body, received=at(start_s))

    def of(aggregate, metric="pool.used", **said):
        what = {"kind": "metric", "metric": metric, "aggregate": aggregate, **said.pop("what", {})}
        return values(web, rule(app, what=what, **said), start_s + 60)

    assert of("average") == {(): 32.5}
    assert of("min") == {(): 0}
    assert of("max") == {(): 100}
    assert of("sum") == {(): 130}
    assert of("last") == {(): 100}
    assert of("max", group_by=["pool"]) == {("a",): 20, ("b",): 100}
    assert of("max", what={"labels": {"pool": "a"}}) == {(): 20}
    assert of("max", what={"service": "nobody"}) == {(): None}
    assert of("rate", "jobs", group_by=["instance"]) == {("i-1",): pytest.approx((30 + 5 + 10) / 30)}


def test_hosts_by_figure(web, sender, app, start_s):
    def one(name, *said):
        return gauge(name, "1", [number(at(start_s + 5), value, attributes) for value, attributes in said])

    def disk(mount, state, value):
        return value, {"system.filesystem.mountpoint": mount, "system.filesystem.state": state}

    body = request(
        "sonde-agent",
        "agent-1",
        one("system.cpu.utilization", (0.4, {})),
        one("system.cpu.load_average.1m", (6.0, {})),
        one("system.cpu.logical.count", (4.0, {})),
        one("system.memory.usage", (30.0, {"system.memory.state": "used"}), (70.0, {"system.memory.state": "free"})),
        one("system.memory.limit", (100.0, {})),
        one(
            "system.filesystem.usage",
            disk("/", "used", 50.0),
            disk("/", "free", 50.0),
            disk("/var", "used", 9.0),
            disk("/var", "free", 1.0),
        ),
        **{"host.name": "web-1"},
    )
    sender.request("metrics", body, received=at(start_s))

    def of(figure, **what):
        return values(web, rule(app, what={"kind": "host", "figure": figure, **what}), start_s + 60)

    assert of("cpu_utilization") == {("web-1",): pytest.approx(0.4)}
    assert of("load_per_cpu") == {("web-1",): pytest.approx(1.5)}
    assert of("memory_used") == {("web-1",): pytest.approx(0.3)}
    assert of("disk_used") == {("web-1",): pytest.approx(0.9)}, "the fullest"
    assert of("disk_used", host="db-*") == {}
    silent = rule(app, what={"kind": "agent"}, condition={"threshold": 300})
    assert LastSeen().read(web, [silent], start_s + 330)["1"].groups == {(("host", "web-1"),): {0: 300.0}}


def test_silence_is_counted_from_the_last_slot_with_data(web, sender, app, start_s):
    requests(sender, start_s + 3, 1)
    requests(sender, start_s + 95, 1, service="bank", instance="b-1")
    wanted = rule(
        app, what={"kind": "no_data", "signal": "requests"}, group_by=["service"], condition={"threshold": 60}
    )
    seen = LastSeen()

    def silent(end_s):
        return {
            dict(labels)["service"]: found[0] for labels, found in seen.read(web, [wanted], end_s)["1"].groups.items()
        }

    assert silent(start_s + 30) == {"shop": 0}
    assert silent(start_s + 150) == {"shop": 120, "bank": 30}
    requests(sender, start_s + 160, 1)
    assert silent(start_s + 240) == {"shop": 60, "bank": 120}
    assert silent(start_s + 120 + 86_400) == {"shop": 86_400 + 120 - 180}, "nobody is missed for longer than a day"

    past = history(web, wanted, Frame(start_s + 30, 30, 8)).groups
    assert past[("service", "shop"),] == {0: 0, 1: 30, 2: 60, 3: 90, 4: 120, 5: 0, 6: 30, 7: 60}
    assert past[("service", "bank"),] == {3: 0, 4: 30, 5: 60, 6: 90, 7: 120}


def test_promql_gives_a_group_for_each_series(web, sender, app, start_s):
    for instance, value in (("i-1", 3.0), ("i-2", 8.0)):
        points = [number(at(start_s + 10), value, {})]
        sender.request("metrics", request("shop", instance, gauge("pool.used", "1", points)), received=at(start_s))

    def of(query):
        return read(web, [rule(app, what={"kind": "promql", "query": query})], Frame(start_s + 60))["1"]

    found = of('max by (instance) (pool_used_ratio{job="shop"})')
    assert found.groups == {(("instance", "i-1"),): {0: 3.0}, (("instance", "i-2"),): {0: 8.0}}, found
    assert of("sum(pool_used_ratio)").groups == {(): {0: 11.0}}
    assert of("vector(1)").groups == {(): {0: 1.0}}
    assert of('"text"').problem == "the query gives a string, no numbers"
    assert "subquery" in of("max_over_time(pool_used_ratio[5m:1m])").problem

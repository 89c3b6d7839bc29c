"""Frames: the recorded ones verify on their raw bytes, and what they say becomes OTLP."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodejs_harness import capture, frame

from sonde.server.intake.xtransit import error_logs, process_metrics, system_metrics
from sonde.server.intake.xtransit.frame import BadFrameError, NameMissingError, parse
from sonde.server.intake.xtransit.keys import PREFIX, stored
from sonde.server.intake.xtransit.process_metrics import Reporter

META, RECORDS = capture()
FRAMES = [it for it in RECORDS if it["dir"] == "c2s"]


def of_kind(kind, run="main"):
    return [json.loads(it["raw"])["data"]["data"] for it in FRAMES if it["kind"] == f"log/{kind}" and it["run"] == run]


def points(metrics, name):
    """(resource attributes, point) of a metric."""
    found = []
    for resource in metrics.request.resource_metrics:
        attributes = {it.key: it.value.string_value or it.value.int_value for it in resource.resource.attributes}
        for metric in resource.scope_metrics[0].metrics:
            if metric.name == name:
                kind = metric.WhichOneof("data")
                found += [(attributes, point) for point in getattr(metric, kind).data_points]
    return found


def thread_of(point):
    return next(it.value.int_value for it in point.attributes if it.key == "thread.id")


def test_every_recorded_frame_verifies_and_no_changed_one_does():
    assert len(FRAMES) == 111
    for record in FRAMES:
        raw = record["raw"].encode()
        found = parse(raw)
        assert found.is_signed_with(META["app_secret"]), record["kind"]
        assert not found.is_signed_with(META["app_secret"] + "x")
        assert not parse(raw.replace(b'"timestamp":1', b'"timestamp":2', 1)).is_signed_with(META["app_secret"])


def test_an_app_id_is_the_same_as_number_and_as_text():
    for form in (123456789012, "123456789012"):
        assert parse(frame(form, "secret").encode()).app == "123456789012"
    assert parse(frame(12, "secret").encode()).app == "000000000012", "a number has no zeros in front"


@pytest.mark.parametrize("number", ["1e-7", "0.00005", "1e21", "12345678901234567890"])
def test_the_signature_is_over_the_bytes_and_not_over_what_they_mean(number):
    """Written again by Python, such a number is another text."""
    said = frame("abc", "secret", "log", {"type": "x", "data": {"value": "@"}}).replace('"@"', "NUMBER")
    signed = frame_with(said, number)

    assert parse(signed).is_signed_with("secret")


def frame_with(text, number):
    import hashlib
    import hmac

    body = text.replace("NUMBER", number)
    body = body[: body.rfind(',"signature":"')]
    signature = hmac.new(b"secret", (body + "}").encode(), hashlib.sha1).hexdigest()
    return f'{body},"signature":"{signature}"}}'.encode()


def test_a_signature_inside_of_the_data_is_no_signature():
    forged = frame("abc", "secret", "log", {"signature": "0" * 40})
    cut = forged[: forged.rfind(',"signature":"')] + "}"

    assert parse(forged.encode()).is_signed_with("secret")
    assert not parse(cut.encode()).is_signed_with("secret")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_message_is_refused(raw):
    with pytest.raises(BadFrameError):
        parse(raw)


@pytest.mark.parametrize("missing", ["appId", "clientId"])
def test_a_message_that_does_not_say_whose_it_is_is_told_apart(missing):
    said = json.loads(frame("abc", "secret"))
    for value in (None, "", True, 1.5, {}):
        said[missing] = value
        with pytest.raises(NameMissingError):
            parse(json.dumps(said).encode())


MEMBERS = st.sampled_from(["appId", "agentId", "clientId", "type", "data", "timestamp"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(MEMBERS, inner),
    max_leaves=20,
)


@given(st.binary(max_size=300) | DOCUMENTS.map(lambda it: json.dumps(it).encode()))
def test_no_bytes_break_the_parser(raw):
    try:
        parse(raw)
    except BadFrameError:
        return


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


@given(
    st.lists(
        anything
        | st.fixed_dictionaries(
            {"pid": st.integers(0, 3) | anything, "tid": st.integers(0, 2) | anything, "value": st.floats() | anything},
            optional={"key": st.sampled_from(["cpu_now", "uptime", "rss", "res__200", "http_rt", "total_gc_times"])},
        ),
        max_size=30,
    )
)
def test_no_list_of_figures_breaks_their_translation(logs):
    found, bad = process_metrics.processes(logs)

    metrics = process_metrics.translate(found, Reporter("host", "app", "", {}), 1.8e12, 0)

    assert bad <= len(logs)
    assert metrics.points >= len(logs) - bad or not found


@given(
    st.dictionaries(st.sampled_from(["cpu_count", "used_cpu", "disks", "total_memory", "free_memory"]), anything),
    anything,
)
def test_no_report_on_a_host_or_errors_breaks_its_translation(log, errors):
    system_metrics.translate("host", log, 1.8e12)
    error_logs.translate("host", "app", {"file": errors, "other": [errors]})


def test_figures_are_told_apart_by_process_and_thread():
    filled = [log for log in of_kind("xprofiler_log") if log["logs"]]
    found, bad = process_metrics.processes(filled[-1]["logs"])
    at_ms = filled[-1]["log_timestamp"]

    metrics = process_metrics.translate(found, Reporter("agent-01", "shop", "3.1.0", {9: "node app.js"}), at_ms, 0)

    assert bad == 0
    assert {(it["process.pid"], thread_of(point)) for it, point in points(metrics, PREFIX + "heap_used")} == {
        (9, 0),
        (10, 0),
        (10, 1),
    }
    assert {(it["process.pid"], thread_of(point)) for it, point in points(metrics, PREFIX + "cpu_now")} == {
        (9, 0),
        (10, 0),
    }
    commands = {it["process.pid"]: it.get("process.command_line") for it, _ in points(metrics, "process.memory.usage")}
    assert commands == {9: "node app.js", 10: None}
    assert {it["service.instance.id"] for it, _ in points(metrics, "process.uptime")} == {"agent-01:9", "agent-01:10"}


def test_every_recorded_figure_is_kept_once_under_a_known_unit():
    for log in of_kind("xprofiler_log"):
        found, bad = process_metrics.processes(log["logs"])
        kept = sum(len(line.values) for threads in found.values() for it in threads.values() for line in it.lines)
        assert bad == 0
        assert kept == len(log["logs"])
        assert all(stored(entry["key"]).unit != "1" for entry in log["logs"])


def entries(pid, tid, sample):
    return [{"pid": pid, "tid": tid, "key": key, "value": value} for key, value in sample.items()]


def test_samples_of_one_upload_have_times_by_their_uptime():
    logs = [it for second in (5, 10, 15) for it in entries(7, 0, {"uptime": second, "total_gc_times": second})]
    found, _ = process_metrics.processes(logs)

    assert process_metrics.times(found[7], 1_000_000, 0) == {0: [990_000, 995_000, 1_000_000]}


def test_samples_without_uptime_are_spread_over_the_time_since_the_upload_before():
    found, _ = process_metrics.processes([it for value in (1, 2, 3) for it in entries(7, 0, {"cpu_now": value})])

    assert process_metrics.times(found[7], 1_000_000, 970_000) == {0: [980_000, 990_000, 1_000_000]}
    assert process_metrics.times(found[7], 1_000_000, 0) == {0: [960_000, 980_000, 1_000_000]}


def test_a_code_that_occurred_in_some_samples_stays_in_its_own():
    """`res__404` of the second sample is no value of the first."""
    one = entries(7, 0, {"res__200": 5, "live_http_request": 5, "http_rt": 1})
    two = entries(7, 0, {"res__200": 6, "res__404": 2, "live_http_request": 8, "http_rt": 1})
    found, _ = process_metrics.processes(one + two)

    numbers = [(line.number, line.values.get("res__404")) for line in found[7][0].lines]
    assert numbers == [(0, None), (1, 2)]


def test_a_count_of_a_report_begins_where_the_report_before_ended():
    sampled = {}
    for at_ms, uptime in ((1_000_000, 10), (1_005_000, 15)):
        found, _ = process_metrics.processes(entries(7, 0, {"uptime": uptime, "http_response_sent": 3}))
        reporter = Reporter("host", "shop", "", {}, sampled)
        metrics = process_metrics.translate(found, reporter, at_ms, 0)

    ((_, point),) = points(metrics, PREFIX + "http_response_sent")
    assert point.time_unix_nano - point.start_time_unix_nano == 5_000_000_000


def test_old_agents_without_thread_ids_speak_of_the_main_thread():
    found, bad = process_metrics.processes([{"pid": 9, "key": "rss", "value": 1}])

    assert bad == 0
    assert list(found[9]) == [0]


def test_a_report_on_a_host_has_the_names_that_hosts_have():
    log = of_kind("system_log")[0]
    metrics = system_metrics.translate("agent-01", log, log["log_timestamp"])

    values = {name: [point.as_double for _, point in points(metrics, name)] for name in (
        "system.cpu.utilization", "system.cpu.logical.count", "system.memory.usage", "system.filesystem.utilization"
    )}  # fmt: skip
    assert values["system.cpu.utilization"] == [log["used_cpu"]]
    assert values["system.memory.usage"] == [log["total_memory"] - log["free_memory"], log["free_memory"]]
    assert values["system.filesystem.utilization"] == [0.28]


def test_what_a_host_does_not_know_is_left_out_and_a_tiny_negative_load_is_none():
    log = {"used_cpu": None, "total_memory": 5, "free_memory": None, "disks": {}}
    assert system_metrics.translate("host", log, 1e12).points == 1

    ((_, point),) = points(system_metrics.translate("host", {"used_cpu": -1e-12}, 1e12), "system.cpu.utilization")
    assert point.as_double == 0


def test_recorded_errors_have_type_message_and_their_own_time():
    log = next(it for it in of_kind("error_log") if any(it.values()))
    request, items, bad = error_logs.translate("agent-01", "shop", log)
    records = request.resource_logs[0].scope_logs[0].log_records
    record = records[0]
    attributes = {it.key: it.value.string_value for it in record.attributes}

    assert (items, bad) == (len(records), 0)
    assert attributes["exception.type"] == "TypeError"
    assert attributes["exception.message"] == record.body.string_value == "TypeError: demo failure"
    assert "Server.<anonymous>" in attributes["exception.stacktrace"]
    assert attributes["log.file.path"] == "/srv/demo/error.log"
    assert len({it.time_unix_nano for it in records}) == len(records), "each its own"
    assert all(0 <= it.observed_time_unix_nano - it.time_unix_nano < 70e9 for it in records)


READ = datetime(2026, 11, 20, 13, 45, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "seconds_before"),
    [
        ("2026-11-20 13:45:05 TypeError: x", 5),
        ("2026-11-20 21:45:05 TypeError: x", 5),  # a host eight hours ahead
        ("2026-11-20 08:14:50,250 TypeError: x", 1819.75 - 1800),  # and one five and a half behind
        ("[2026-11-20T13:45:05.500Z] TypeError", 4.5),
        ("2026-11-20T14:45:05+01:00 TypeError", 5),
        ("no time at all", None),
        ("2026-13-45 99:99:99 TypeError", None),
        ("2020-01-01T00:00:00Z TypeError", None),  # longer ago than the store takes
    ],
)
def test_an_errors_own_time_is_found_whatever_the_zone_of_its_host(line, seconds_before):
    found = error_logs.true_time(line, READ)

    assert found == (None if seconds_before is None else READ - timedelta(seconds=seconds_before))

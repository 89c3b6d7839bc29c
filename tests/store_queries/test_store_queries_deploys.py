"""Deploys and restarts, from runs of processes and from what processes send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from otlp_making import SLOT, Span

from sonde.server.insight.deploys import Run, marks
from sonde.server.store.queries import deploys

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def run(name: str, since: float, until: float, version: str = "", host: str = "h", pid: str = "") -> Run:
    return Run(name, host, pid, version, at(since), at(until))


def told(*runs: Run) -> list[tuple[str, float, str, str, int]]:
    return [
        (mark.kind, (mark.time - NOON).total_seconds() / 60, mark.version, mark.previous, mark.processes)
        for mark in marks(runs)
    ]


def test_the_first_sight_of_a_new_version_is_a_deploy():
    assert told(run("a", 0, 10, "1"), run("b", 10.2, 30, "2")) == [("deploy", 10.2, "2", "1", 1)]


def test_the_first_sight_of_a_service_is_none():
    assert told(run("a", 0, 10, "1"), run("b", 0.5, 10, "1")) == []


def test_processes_that_follow_within_a_minute_belong_to_the_deploy():
    old = [run(f"a{n}", 0, 10, "1", host=f"h{n}") for n in range(4)]
    new = [run(f"b{n}", 10 + n / 4, 30, "2", host=f"h{n}") for n in range(4)]

    assert told(*old, *new) == [("deploy", 10, "2", "1", 4)]


def test_later_processes_of_a_version_that_is_in_use_are_no_deploy():
    assert told(run("a", 0, 30, "1"), run("b", 5, 30, "2"), run("c", 20, 30, "2", host="other")) == [
        ("deploy", 5, "2", "1", 1)
    ]


def test_going_back_is_a_deploy():
    runs = run("a", 0, 10, "1"), run("b", 10.1, 20, "2"), run("c", 20.1, 30, "1")

    assert told(*runs) == [("deploy", 10.1, "2", "1", 1), ("deploy", 20.1, "1", "2", 1)]


def test_a_version_that_was_silent_for_a_while_is_not_deployed_again():
    assert told(run("a", 0, 1, "1"), run("b", 50, 60, "1", host="other")) == []


def test_a_new_process_where_an_old_one_stopped_is_a_restart():
    assert told(run("a", 0, 10, "1"), run("b", 10.5, 30, "1")) == [("restart", 10.5, "1", "", 1)]
    assert told(run("a", 0, 10), run("b", 10.5, 30)) == [("restart", 10.5, "", "", 1)], "of no version"
    assert told(run("a", 0, 10, pid="7"), run("a", 10.5, 30, host="new", pid="8")) == [("restart", 10.5, "", "", 1)]


def test_a_new_process_where_none_stopped_is_no_restart():
    assert told(run("a", 0, 30), run("b", 10, 30)) == [], "the old one goes on"
    assert told(run("a", 0, 10), run("b", 10.5, 30, host="other")) == [], "on another host"
    assert told(run("a", 0, 10), run("b", 25, 30)) == [], "a quarter of an hour later"
    assert told(run("a", 0, 10), run("b", 10.5, 30), run("c", 12, 30)) == [("restart", 10.5, "", "", 1)], "one for one"


def test_workers_that_are_started_anew_together_are_one_restart():
    old = [run(f"a{n}", 0, 10) for n in range(8)]
    new = [run(f"b{n}", 10 + n / 20, 30) for n in range(8)]

    assert told(*old, *new) == [("restart", 10, "", "", 8)]


def test_marks_come_from_what_processes_send(web, loader, sender, app):
    def send(minute: int, service: str, instance: str, pid: int, **facts):
        facts |= {"service__instance__id": instance, "process__pid": pid, "host__name": "h"}
        sender.spans(service, Span(), received=SLOT + timedelta(minutes=minute), **facts)
        deploys.learn_runs(loader, SLOT)

    for minute in range(1, 6):
        send(minute, "orders", "one", 7, service__version="1.0")
    send(6, "orders", "one", 9, service__version="1.1")
    send(7, "orders", "one", 9, service__version="1.1")
    send(9, "orders", "one", 12, service__version="1.1")
    send(1, "stock", "s1", 1)
    send(4, "stock", "s2", 2)

    found = deploys.deploys(web, [app], SLOT, SLOT + timedelta(minutes=30)).items

    assert [(one.service, one.kind, (one.time - SLOT).seconds // 60, one.version, one.previous) for one in found] == [
        ("orders", "restart", 9, "1.1", ""),
        ("orders", "deploy", 6, "1.1", "1.0"),
        ("stock", "restart", 4, "", ""),
    ]
    only = deploys.deploys(web, [app], SLOT, SLOT + timedelta(minutes=8), ["orders"]).items
    assert [one.kind for one in only] == ["deploy"]
    assert deploys.deploys(web, ["another-app"], SLOT, SLOT + timedelta(minutes=30)).items == []
    last = deploys.last_deploys(web, [app], SLOT + timedelta(minutes=30), ["orders", "stock"])
    assert {place: mark.version for place, mark in last.items()} == {(app, "orders"): "1.1"}

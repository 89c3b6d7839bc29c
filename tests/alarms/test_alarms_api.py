"""The API of alarms on a whole server: rules, backtests, silences, notifiers, and a message that arrives."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from started.server import Server, command
from started.waiting import eventually

RULE = {
    "name": "Too many",
    "what": {"kind": "statistic", "statistic": "requests"},
    "window_s": 30,
    "condition": {"op": ">=", "threshold": 1, "recover_for_s": 0},
}


QUIET = """
[[rule]]
name = "Too quiet"
window_s = 30
what = {kind = "statistic", statistic = "requests"}
condition = {op = "<", threshold = 5.0}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    command("app", "create", "watched", "--data", str(folder))
    rules = folder / "alarms.toml"
    rules.write_text(QUIET)
    command("alarms", "import", str(rules), "--app", "watched", "--data", str(folder))
    server = Server(folder)
    try:
        yield server.wait()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def admin(server):
    with server.client(server.token("admin")) as client:
        yield client


@pytest.fixture(scope="module")
def app(server):
    return server.app("alarmed")["id"]


def test_a_rule_is_kept_changed_found_and_removed(admin, app):
    made = admin.post("/api/v1/alarms/rules", json={"app": app, "rule": RULE}).raise_for_status().json()
    address = f"/api/v1/alarms/rules/{made['id']}"
    assert made["rule"]["what"]["statistic"] == "requests"
    assert made["unit"] == "requests"

    changed = admin.put(address, json={"app": app, "rule": RULE | {"severity": "critical"}}).raise_for_status().json()

    assert (changed["version"], changed["rule"]["severity"]) == (2, "critical")
    assert [it["id"] for it in admin.get("/api/v1/alarms/rules", params={"app": app}).json()["items"]] == [made["id"]]
    taken = admin.post("/api/v1/alarms/rules", json={"app": app, "rule": RULE})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "name_taken")
    assert admin.delete(address).status_code == 204
    assert admin.get(address).status_code == 404


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"condition": {"op": ">", "threshold": 5, "recovery_threshold": 6}}, "rule.condition.recovery_threshold"),
        ({"condition": {"op": ">"}}, "rule.condition.threshold"),
        ({"condition": {"op": "<", "threshold": 0}}, "rule.condition.threshold"),
        ({"window_s": 45}, "rule.window_s"),
        (
            {"what": {"kind": "statistic", "statistic": "error_rate"}, "condition": {"threshold": 1}},
            "rule.condition.threshold",
        ),
        ({"what": {"kind": "statistic"}}, "rule.what.statistic"),
        ({"what": {"kind": "statistic", "statistic": "requests", "host": "h"}}, "rule.what.host"),
        ({"what": {"kind": "promql", "query": "sum("}}, "rule.what.query"),
        ({"what": {"kind": "promql", "query": "max_over_time(up[5m:1m])"}}, "rule.what.query"),
        ({"what": {"kind": "promql", "query": 'up{job=~"("}'}}, "rule.what.query"),
        ({"group_by": ["host"]}, "rule.group_by.0"),
        ({"notify": ["nobody"]}, "rule.notify.0"),
        ({"depends_on": "nothing"}, "rule.depends_on"),
        ({"depends_on": "Too many"}, "rule.depends_on"),
        (
            {"quiet_hours": [{"days": ["mon"], "start": "22:00", "end": "06:00", "time_zone": "Mars/Base"}]},
            "rule.quiet_hours.0.time_zone",
        ),
        ({"severity": "awful"}, "rule.severity"),
        ({"surprise": 1}, "rule.surprise"),
    ],
)
def test_an_impossible_rule_is_refused_with_the_place_and_the_reason(admin, app, change, place):
    answer = admin.post("/api/v1/alarms/rules", json={"app": app, "rule": RULE | change})

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"].startswith(f"{place}: ")


def test_every_template_is_a_rule_that_can_be_kept(admin, app):
    offered = admin.get("/api/v1/alarms/templates").json()["items"]

    assert {"error-rate", "p95-unusual", "no-data", "dead-agent", "disk-full"} <= {it["id"] for it in offered}
    for template in offered:
        made = admin.post("/api/v1/alarms/rules", json={"app": app, "rule": template["rule"]}).raise_for_status().json()
        admin.delete(f"/api/v1/alarms/rules/{made['id']}").raise_for_status()
        tried = admin.post("/api/v1/alarms/backtest", json={"app": app, "rule": template["rule"], "days": 1})
        assert tried.json()["fired"] == 0, tried.text


def test_templates_are_in_the_language_of_who_looks(admin):
    english = admin.get("/api/v1/alarms/templates").json()["items"]
    chinese = admin.get("/api/v1/alarms/templates?language=zh").json()["items"]

    assert [it["id"] for it in chinese] == [it["id"] for it in english]
    for one, other in zip(chinese, english, strict=True):
        assert one["title"] != other["title"]
        assert one["rule"] == other["rule"] | {"name": one["title"], "description": one["description"]}


def test_a_reminder_comes_after_five_minutes_at_least(admin, app):
    rule = {
        "name": "x",
        "what": {"kind": "statistic", "statistic": "requests"},
        "condition": {"threshold": 1},
        "remind_s": 60,
    }
    answer = admin.post("/api/v1/alarms/rules", json={"app": app, "rule": rule})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("rule.remind_s: 0 (never), or at least 300")


def test_secrets_of_notifiers_never_come_out_and_stay_where_they_are_masked(admin, app):
    secret = "SEC-very-secret"
    said = {
        "name": "robot",
        "kind": "dingtalk",
        "url": "https://oapi.dingtalk.com/robot/send?access_token=hush",
        "secret": secret,
    }
    made = admin.post("/api/v1/alarms/notifiers", json={"app": app, "notifier": said}).raise_for_status().json()
    address = f"/api/v1/alarms/notifiers/{made['id']}"
    assert (made["notifier"]["url"], made["notifier"]["secret"]) == ("********", "********")
    assert made["target"] == "https://oapi.dingtalk.com"

    kept = admin.put(address, json={"app": app, "notifier": made["notifier"] | {"mentions": ["all"]}})

    for answer in (kept, admin.get(address), admin.get("/api/v1/alarms/notifiers")):
        assert answer.status_code == 200
        assert secret not in answer.text
        assert "hush" not in answer.text
    preview = admin.post("/api/v1/alarms/notifiers/preview", json={"app": app, "notifier": said})
    assert "Checkout is slow" in preview.json()["body"]
    assert secret not in preview.text
    named = RULE | {"name": "Names it", "notify": ["robot"]}
    rule = admin.post("/api/v1/alarms/rules", json={"app": app, "rule": named}).raise_for_status().json()
    assert admin.delete(address).json()["error"]["code"] == "in_use"
    admin.delete(f"/api/v1/alarms/rules/{rule['id']}").raise_for_status()
    assert admin.delete(address).status_code == 204


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"url": "ftp://example.org"}, "notifier.url"),
        ({"url": "http://127.0.0.1:9/x"}, "notifier.url"),
        ({"url": "http://[::1]/x"}, "notifier.url"),
        ({"url": "http://localhost/x"}, "notifier.url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "notifier.url"),
        ({"url": "http://0.0.0.0/"}, "notifier.url"),
        ({"url": "https://user:pass@example.org/"}, "notifier.url"),
        ({"headers": {"Host": "x"}}, "notifier.headers.Host"),
        ({"headers": {"X-A": "a\r\nb"}}, "notifier.headers.X-A"),
        ({"secret": "********"}, "notifier.secret"),
        ({"smtp_host": "mail"}, "notifier.smtp_host"),
        ({"kind": "email", "url": ""}, "notifier.smtp_host"),
    ],
)
def test_an_impossible_notifier_is_refused_with_the_place_and_the_reason(admin, app, change, place):
    notifier = {"name": "hook", "kind": "webhook", "url": "https://example.org/hook"} | change

    answer = admin.post("/api/v1/alarms/notifiers", json={"app": app, "notifier": notifier})

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"].startswith(f"{place}: ")


def test_silences_hold_until_they_are_ended(admin, app):
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = admin.post("/api/v1/alarms/silences", json={"app": app, "ends_at": ends_at, "comment": "deploying"}).json()
    assert made["active"]

    assert admin.delete(f"/api/v1/alarms/silences/{made['id']}").status_code == 204

    (shown,) = admin.get("/api/v1/alarms/silences", params={"app": app}).json()["items"]
    assert not shown["active"]
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    refused = admin.post("/api/v1/alarms/silences", json={"app": app, "ends_at": past})
    assert refused.json()["error"]["message"].startswith("ends_at: ")


def test_only_those_who_may_change_what_they_may(server, app):
    wish = {"app": app, "rule": RULE}
    with server.client(server.token("read")) as reader, server.client(server.token("write")) as writer:
        assert reader.post("/api/v1/alarms/rules", json=wish).status_code == 403
        assert reader.post("/api/v1/alarms/backtest", json=wish | {"days": 1}).status_code == 200
        hook = {"name": "hook", "kind": "webhook", "url": "https://example.org/"}
        assert writer.post("/api/v1/alarms/notifiers", json={"app": app, "notifier": hook}).status_code == 403
        assert writer.get("/api/v1/alarms/summary").json()["evaluation"]["delay_s"] == 15


def test_rules_go_into_a_file_and_come_back(server, admin, tmp_path):
    app = server.app("filed")
    wanted = [
        RULE | {"name": 'Zu "viele"\n#1'.replace("\n", " ")},
        RULE | {"name": "Child", "depends_on": "Parent"},
        RULE
        | {
            "name": "Parent",
            "labels": {"team.name": "ü"},
            "quiet_hours": [{"days": ["sat", "sun"], "start": "00:00", "end": "12:00", "time_zone": "Asia/Shanghai"}],
        },
    ]
    for rule in sorted(wanted, key=lambda rule: rule.get("depends_on", "")):
        admin.post("/api/v1/alarms/rules", json={"app": app["id"], "rule": rule}).raise_for_status()

    text = admin.get("/api/v1/alarms/rules/export", params={"app": app["id"]}).text

    path = tmp_path / "alarms.toml"
    path.write_text(text)
    same = json.loads(command("alarms", "import", str(path), "--app", "filed", "--data", str(server.data)))
    assert (same["added"], same["changed"], same["removed"], len(same["unchanged"])) == ([], [], [], 3)
    other = server.app("copied")
    wish = {"app": other["id"], "toml": text, "dry_run": True}
    assert sorted(admin.post("/api/v1/alarms/rules/import", json=wish).json()["added"]) == sorted(
        rule["name"] for rule in wanted
    )
    assert admin.get("/api/v1/alarms/rules", params={"app": other["id"]}).json()["items"] == []
    admin.post("/api/v1/alarms/rules/import", json=wish | {"dry_run": False}).raise_for_status()
    assert command("alarms", "export", "--app", "copied", "--data", str(server.data)) == text
    path.write_text(text.replace("threshold = 1.0", "threshold = 2.0", 1).partition('\n[[rule]]\nname = "Zu')[0])
    changed = json.loads(
        command("alarms", "import", str(path), "--app", "copied", "--prune", "--data", str(server.data))
    )
    assert [it["fields"] for it in changed["changed"]] == [["condition"]]
    assert changed["removed"] == ['Zu "viele" #1']
    broken = admin.post("/api/v1/alarms/rules/import", json=wish | {"toml": text.replace('">="', '"!"', 1)})
    assert broken.json()["error"]["message"].startswith("rule.0.condition.op: ")


def test_a_failing_target_is_told_and_kept(admin, app):
    hook = {"name": "gone", "kind": "webhook", "url": "http://192.0.2.1:9/"}  # an address that nobody has
    made = admin.post("/api/v1/alarms/notifiers", json={"app": app, "notifier": hook}).raise_for_status().json()
    name = admin.post(
        "/api/v1/alarms/notifiers",
        json={"app": app, "notifier": {"name": "nowhere", "kind": "webhook", "url": "http://no.such.host.invalid/"}},
    ).json()

    tried = admin.post(f"/api/v1/alarms/notifiers/{name['id']}/test").json()

    assert not tried["delivered"]
    assert tried["answer"]
    (delivery,) = admin.get("/api/v1/alarms/deliveries", params={"notifier_id": name["id"]}).json()["items"]
    assert (delivery["state"], delivery["alarms"]) == ("failed", 0)
    for it in (made, name):
        admin.delete(f"/api/v1/alarms/notifiers/{it['id']}").raise_for_status()


def test_it_fires_by_itself_is_acknowledged_and_no_other_app_hears_of_it(server, admin, app):
    """The first round, which judges the slot that was over when the server started."""
    (watched,) = (it["id"] for it in admin.get("/api/v1/apps").json()["items"] if it["name"] == "watched")

    def firing():
        return admin.get("/api/v1/alarms", params={"app": watched, "state": "firing"}).json()["items"]

    (alarm,) = eventually(firing, "an alarm")
    address = f"/api/v1/alarms/{alarm['id']}/acknowledgement"
    said = admin.post(address, json={"note": "on it"}).raise_for_status().json()

    assert said["note"] == "on it"
    assert firing()[0]["acknowledged_by"] == said["acknowledged_by"]
    summary = admin.get("/api/v1/alarms/summary", params={"app": watched}).json()
    assert (summary["firing"], summary["unacknowledged"]) == (1, 0)
    assert summary["evaluation"]["trouble"] == ""
    assert admin.delete(address).json()["acknowledged_at"] is None
    (interval,) = admin.get("/api/v1/alarms/history", params={"app": watched, "open": True}).json()["items"]
    assert interval["id"] == alarm["id"]
    other = command("token", "create", "--data", str(server.data), "--scope", "read", "--app", app).strip()
    with server.client(other) as stranger:
        assert stranger.get("/api/v1/alarms/history", params={"app": watched}).json()["items"] == []
        assert alarm["id"] not in stranger.get("/api/v1/alarms/history").text
        assert stranger.get("/api/v1/alarms", params={"state": "firing"}).json()["items"] == []
